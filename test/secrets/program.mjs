/**
 * A day in the life of an app, with all that leaves the process recorded: what clients see, what the adapter carries, the
 * rooms, the errors, the explanations. Printed as JSON at the end, with what must not be in it. The log goes to stderr.
 */
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import { inspect } from 'node:util'
import cookieParser from 'cookie-parser'
import { sign } from 'cookie-signature'
import express from 'express'
import session from 'express-session'
import { handshakeSession } from 'handshake-session'
import sessionIO from 'handshake-session/compat/session.io'
import legacy from 'handshake-session/compat/socket.io'
import { enable } from 'handshake-session/compat/socket.io-sessions'
import * as zappajs from 'handshake-session/compat/zappajs'
import { Server } from 'socket.io'
import { SessionAwareAdapter } from 'socket.io-adapter'
import { io as connect } from 'socket.io-client'

const secret = 'a secret that nobody may tell'
const oldSecret = 'an older secret, not to be told either'
/** What must not be seen: the secrets, and whatever stands for a session. */
const hidden = new Set([secret, oldSecret])
const seen = { packets: [], rooms: [], adapter: [], errors: [], explanations: [], pages: [] }

class RecordingAdapter extends SessionAwareAdapter {
  broadcast(packet, options) {
    seen.adapter.push(inspect([packet, options], { depth: 9 }))
    super.broadcast(packet, options)
  }

  serverSideEmit(packet) {
    seen.adapter.push(inspect(packet, { depth: 9 }))
  }

  persistSession(kept) {
    seen.adapter.push(inspect(kept, { depth: 9 }))
    super.persistSession(kept)
  }
}

class Store extends session.MemoryStore {
  isDown = false

  get(id, callback) {
    if (this.isDown) callback(new Error('the store is down'))
    else super.get(id, callback)
  }

  set(id, record, callback) {
    hidden.add(id)
    super.set(id, record, callback)
  }
}

const onError = (error) => seen.errors.push(inspect(error, { depth: 9 }), error.stack, error.message)

/** An app with its routes, `install` on its server, and its address. */
async function start(install) {
  const [app, store] = [express(), new Store()]
  const server = createServer(app)
  const close = await install({ app, store, server })
  app.use(session({ store, secret: [secret, oldSecret], resave: false, saveUninitialized: false }))
  app.get('/login', (req, res) => {
    req.session.user = 'ann'
    res.end()
  })
  app.get('/regenerate', (req, res) => req.session.regenerate(() => res.end()))
  app.get('/logout', (req, res) => req.session.destroy(() => res.end()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}`
  const get = async (path, cookie = '') => {
    const response = await fetch(url + path, { headers: { cookie } })
    seen.pages.push(await response.text())
    return response.headers.get('set-cookie')?.split(';')[0] ?? ''
  }
  const login = async () => {
    const cookie = await get('/login')
    const value = decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1))
    for (const part of [cookie, value, value.slice(value.indexOf('.') + 1)]) hidden.add(part)
    return cookie
  }
  return { store, url, get, login, close }
}

function idOf(cookie) {
  const value = decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1))
  return value.slice(2, value.lastIndexOf('.'))
}

/** A client of which every packet is recorded, in both directions but for its own handshake; and how it fared. */
async function client(url, cookie, options = {}) {
  const socket = connect(url, {
    reconnection: false,
    forceNew: true,
    extraHeaders: cookie ? { cookie } : {},
    ...options,
  })
  socket.io.on('packet', (packet) => seen.packets.push(inspect(packet, { depth: 9 })))
  const fate = await new Promise((resolve) => {
    socket.on('connect', () => resolve('let in'))
    socket.on('connect_error', (error) => {
      seen.packets.push(inspect(error), inspect(error.data))
      resolve('refused')
    })
  })
  return Object.assign(socket, { fate })
}

async function core() {
  const events = new EventEmitter()
  let sessions
  const app = await start(({ app, store, server }) => {
    const io = new Server(server, { adapter: RecordingAdapter, connectionStateRecovery: {} })
    sessions = handshakeSession({ store, secret: [secret, oldSecret], freshFor: 0, onError }).attach(io)
    io.on('connection', (socket) => {
      seen.rooms.push(...socket.rooms)
      socket.on('error', (error) => {
        onError(error)
        events.emit('failed')
      })
      socket.on('work', async (answer) => {
        await sessions.update(socket, (session) => {
          session.count = (session.count ?? 0) + 1
        })
        io.to(sessions.room(socket.handshake.sessionID)).emit('worked', 'hello')
        answer('hello')
      })
    })
    app.use('/ticket', session({ store, secret, resave: false, saveUninitialized: false }), (req, res) => {
      const ticket = sessions.ticket(req)
      res.end(ticket)
    })
    return () => io.close()
  })
  const explain = async (cookie) =>
    seen.explanations.push(inspect(await sessions.explain({ headers: { cookie } }), { depth: 9 }))
  const cookie = await app.login()
  const id = idOf(cookie)
  const one = await client(app.url, cookie)
  await one.emitWithAck('work')
  one.io.engine.close()
  const ticket = await (await fetch(`${app.url}/ticket`, { headers: { cookie } })).text()
  const two = await client(app.url, undefined, { auth: { ticket } })
  await two.emitWithAck('work')
  await client(app.url, undefined, { auth: { ticket } })
  for (const bad of [
    undefined,
    `${cookie}x`,
    cookie.replace('s%3A', ''),
    `connect.sid=s%3A${sign('stranger', secret)}`,
  ]) {
    await client(app.url, bad)
    await explain(bad)
  }
  await client(app.url, cookie, { extraHeaders: { cookie, origin: 'https://evil.example' } })
  await explain(cookie)
  app.store.isDown = true
  const failed = once(events, 'failed')
  two.emit('work', () => {})
  await failed
  await client(app.url, cookie)
  app.store.isDown = false
  await app.get('/regenerate', cookie)
  const again = await app.login()
  const three = await client(app.url, again)
  const closed = new Promise((resolve) => three.on('disconnect', resolve))
  await app.get('/logout', again)
  await closed
  await client(app.url, await app.login())
  await sessions.revoke(id)
  await explain(cookie)
  await sessions.update(id, () => {}).catch(onError)
  await sessions.load({ headers: { cookie } }).catch(onError)
  sessions.close()
  await app.close()
}

async function shims() {
  const old = await start(({ store, server }) => {
    const io = legacy.listen(server, { adapter: RecordingAdapter, connectionStateRecovery: {} })
    io.set('authorization', sessionIO(cookieParser(secret), store))
    return () => io.close()
  })
  for (const cookie of [await old.login(), undefined, 'connect.sid=nobody']) await client(old.url, cookie)
  await old.close()

  const sio = await start(({ store, server }) => {
    const io = new Server(server, { adapter: RecordingAdapter, connectionStateRecovery: {} })
    enable({ socket: io, store, secret, onError })
    return () => io.close()
  })
  const cookie = await sio.login()
  const script = await (
    await fetch(`${sio.url}/socket.io/socket.io-sessions.js`, { headers: { cookie, 'sec-fetch-site': 'same-origin' } })
  ).text()
  seen.pages.push(script)
  const shown = /CONNECT_SID = "(.*?)"/.exec(script)[1]
  for (const __sid of [shown, shown, 'nobody']) {
    const socket = await client(sio.url, cookie)
    socket.emit('connect_with_session', { __sid })
    socket.send('hello')
  }
  await sio.close()

  const zappa = await start(({ app, store, server }) => {
    const io = new Server(server, { adapter: RecordingAdapter, connectionStateRecovery: {} })
    const sessionware = session({ store, secret, resave: false, saveUninitialized: false })
    zappajs.bind({ app, io, store, session: sessionware, onError })
    return () => io.close()
  })
  const zappaCookie = await zappa.login()
  const answer = await fetch(`${zappa.url}/zappa/socket/__local/x`, { headers: { cookie: zappaCookie } })
  const { key } = await answer.json()
  hidden.delete(key) // What a client of zappajs is given, and stands for its session on sockets alone.
  const socket = await client(zappa.url, zappaCookie)
  await socket.emitWithAck('__zappa_key', { key })
  await socket.emitWithAck('__zappa_key', { key: 'nobody' })
  await zappa.close()
}

await core()
await shims()
console.log(JSON.stringify({ hidden: [...hidden], seen }))
process.exit(0)
