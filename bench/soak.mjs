// npm run soak: 100,000 connections come and go, among them logouts, lost connections that are recovered, and refusals. Then
// it prints the server's heap over time, and what is left when all are gone. Exits with 1 if anything is left, or if the heap
// grew by 1 MB between the 20 % and the 100 % mark. `npm run soak -- 20000` is a shorter one.
import { createHook } from 'node:async_hooks'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import session from 'express-session'
import { handshakeSession } from 'handshake-session'
import { SessionRegistry } from 'handshake-session/internals'
import { Server } from 'socket.io'
import WebSocket from 'ws'
import { cookieSignedBy, secret } from './client.mjs'

const pool = 1_000
const atOnce = 50
const megabyte = 2 ** 20

/** The server, a process of its own. Sessions are `<number>-<generation>`: a logout makes the next generation. */
async function serve() {
  const timers = countTimers()
  const store = new session.MemoryStore()
  const create = (id) => store.set(id, { cookie: { originalMaxAge: null }, user: id })
  for (let i = 0; i < pool; i++) create(`${i}-0`)
  const server = createServer()
  const io = new Server(server, { connectionStateRecovery: {} })
  handshakeSession({ store, secret, timeout: 1_000 }).attach(io)
  let recovered = 0
  io.on('connection', (socket) => {
    if (socket.recovered) recovered++
    socket.emit('hello') // Gives the client an offset, without which there is no recovery.
    socket.on('visit', (answer) => {
      socket.handshake.session.visits = (socket.handshake.session.visits ?? 0) + 1
      socket.handshake.session.save(answer)
    })
    socket.on('logout', () => {
      const [number, generation] = socket.handshake.sessionID.split('-')
      create(`${number}-${Number(generation) + 1}`)
      socket.handshake.session.destroy()
    })
  })
  const { adapter } = io.sockets
  const registry = SessionRegistry.join(store)
  /** After a collection; and without what Socket.IO itself keeps for two minutes, for recoveries. */
  const measure = () => {
    Object.assign(adapter, { sessions: new Map(), packets: [] })
    gc()
    return {
      heap: process.memoryUsage().heapUsed,
      sockets: io.engine.clientsCount,
      sessions: registry.sessions.size,
      rooms: adapter.rooms.size,
      timers: timers.size,
      listeners: [io, io.engine, io.sockets, store, server, process].reduce(
        (sum, emitter) => sum + listenersOf(emitter),
        0,
      ),
      recovered,
    }
  }
  process.on('message', () => process.send(measure()))
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
}

/** All timers that run, also those that keep no process alive, which Node counts nowhere. */
function countTimers() {
  const running = new Set()
  const init = (id, type) => type === 'Timeout' && running.add(id)
  createHook({ init, destroy: (id) => running.delete(id) }).enable()
  return running
}

function listenersOf(emitter) {
  return (emitter.eventNames?.() ?? []).reduce((sum, name) => sum + emitter.listenerCount(name), 0)
}

/** A connection that speaks just enough of the protocol. */
class Client {
  constructor(port, id, { by = secret, auth = {} } = {}) {
    const headers = { cookie: cookieSignedBy(by, id) }
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`, { headers })
    this.closed = once(this.socket, 'close')
    this.connected = new Promise((resolve, reject) => {
      this.socket.on('error', reject)
      this.socket.on('message', (data) => {
        const packet = String(data)
        if (packet.startsWith('0')) this.socket.send(`40${JSON.stringify(auth)}`)
        else if (packet.startsWith('40')) this.pid = JSON.parse(packet.slice(2)).pid
        else if (packet.startsWith('42')) resolve(this.#greeted(packet))
        else if (packet.startsWith('43')) this.answered?.()
        else if (packet.startsWith('44')) resolve('refused')
      })
    })
  }

  #greeted(packet) {
    this.offset = JSON.parse(packet.slice(2)).at(-1)
  }

  async visit() {
    const answered = new Promise((resolve) => {
      this.answered = resolve
    })
    this.socket.send('420["visit"]')
    await answered
  }

  /** As a client that says good-bye, or as one whose network is gone. */
  async leave(isPolite = true) {
    if (isPolite) this.socket.send('41')
    this.socket[isPolite ? 'close' : 'terminate']()
    await this.closed
  }
}

/** One connection; of twenty each: sixteen visits, two refusals, one logout, one recovery, which connects twice. */
async function come(port, turn, generations) {
  const number = turn % pool
  const id = `${number}-${generations[number]}`
  const kind = turn % 20
  const client = new Client(port, id, { by: kind < 2 ? 'a stranger' : secret })
  await client.connected
  if (kind < 2) return client.leave()
  if (kind === 2) {
    client.socket.send('42["logout"]')
    generations[number]++
    return client.closed
  }
  if (kind !== 3) return client.visit().then(() => client.leave())
  await client.leave(false)
  const again = new Client(port, id, { auth: { pid: client.pid, offset: client.offset } })
  await again.connected
  return again.leave()
}

async function run(total) {
  const server = fork(import.meta.filename, ['serve'], { execArgv: ['--expose-gc'] })
  const [{ port }] = await once(server, 'message')
  const ask = async () => {
    server.send('measure')
    return (await once(server, 'message'))[0]
  }
  const before = await ask()
  /** All are gone when the server has noticed as well; what is still there after so many looks is left over. */
  const settled = async () => {
    let measured = await ask()
    for (let looks = 0; looks < 2_000 && !(measured.sockets === 0 && measured.timers <= before.timers); looks++)
      measured = await ask()
    return measured
  }
  const generations = Array(pool).fill(0)
  const rows = []
  for (let turn = 0; turn < total; turn += total / 20) {
    for (let first = turn; first < turn + total / 20; first += pool) {
      const last = Math.min(first + pool, turn + total / 20)
      await inParallel(first, last, (each) => come(port, each, generations))
    }
    rows.push({ percent: (rows.length + 1) * 5, ...(await settled()) })
    print(rows.at(-1))
  }
  server.kill()
  return { before, rows }
}

/** `atOnce` at a time. */
async function inParallel(first, last, work) {
  let next = first
  const one = async () => {
    while (next < last) await work(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, one))
}

function print({ percent, heap, sockets, sessions, rooms, timers, listeners, recovered }) {
  const bar = '█'.repeat(Math.round(heap / megabyte))
  const counts = `${sockets} sockets, ${sessions} sessions, ${rooms} rooms, ${timers} timers, ${listeners} listeners`
  console.log(
    `${String(percent).padStart(3)} %  ${(heap / megabyte).toFixed(2).padStart(6)} MB  ${bar}  ${counts}, ${recovered} recovered`,
  )
}

if (process.argv[2] === 'serve') await serve()
else {
  const { before, rows } = await run(Number(process.argv[2] ?? 100_000))
  const [from, to] = [rows[3], rows.at(-1)]
  const grown = to.heap - from.heap
  const left = ['sockets', 'sessions', 'rooms', 'timers', 'listeners'].filter((name) => to[name] > before[name])
  console.log(
    `heap from 20 % to 100 %: ${(grown / megabyte).toFixed(2)} MB; left over: ${left.join(', ') || 'nothing'}`,
  )
  process.exitCode = grown < megabyte && left.length === 0 ? 0 : 1
}
