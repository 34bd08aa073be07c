// The client of all peers: Engine.IO 4 and Socket.IO 5 text frames by hand, on raw `ws`, so that the server's process has
// the work and this one little.
import { sign } from 'cookie-signature'
import WebSocket from 'ws'

export const secret = 'keyboard cat'
export const namespaces = ['/', '/a', '/b']

const ids = { length: 32, filler: '-' }

/** A session id as long as those of express-session. */
export function idOf(prefix, index = 0) {
  return `${prefix}${index}`.padEnd(ids.length, ids.filler)
}

export function cookieOf(id) {
  return cookieSignedBy(secret, id)
}

export function cookieSignedBy(by, id) {
  return `connect.sid=${encodeURIComponent(`s:${sign(id, by)}`)}`
}

/** One connection, there when the server has acknowledged each of the namespaces. */
export class Client {
  static async open(port, cookie, joined = ['/']) {
    const client = new Client(port, cookie, joined)
    await client.#connected
    return client
  }

  closed
  #ws
  #connected
  #acks = new Map()
  #events = 0

  constructor(port, cookie, joined) {
    const url = `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`
    const ws = new WebSocket(url, { headers: { cookie }, perMessageDeflate: false })
    this.#ws = ws
    this.closed = new Promise((resolve) => ws.once('close', resolve))
    this.#connected = new Promise((resolve, reject) => {
      let missing = joined.length
      ws.once('error', reject)
      ws.on('message', (data) => {
        const packet = data.toString()
        if (packet === '2') ws.send('3')
        else if (packet.startsWith('43')) this.#acknowledge(packet)
        else if (packet.startsWith('40') && --missing === 0) resolve()
        else if (packet.startsWith('44')) reject(new Error(`refused: ${packet}`))
        else if (packet.startsWith('0')) for (const name of joined) ws.send(name === '/' ? '40' : `40${name},`)
      })
    })
  }

  /** Emits an event some times at once, in one segment; resolves to the last answer when all are there. */
  async emit(event, times = 1) {
    const answers = []
    this.#ws._socket.cork()
    for (let sent = 0; sent < times; sent++) {
      const id = this.#events++
      answers.push(new Promise((resolve) => this.#acks.set(id, resolve)))
      this.#ws.send(`42${id}["${event}"]`)
    }
    this.#ws._socket.uncork()
    return (await Promise.all(answers)).at(-1)
  }

  close() {
    this.#ws.terminate()
    return this.closed
  }

  #acknowledge(packet) {
    const bracket = packet.indexOf('[')
    const id = Number(packet.slice(2, bracket))
    this.#acks.get(id)(JSON.parse(packet.slice(bracket))[0])
    this.#acks.delete(id)
  }
}

/** A connection for each of the cookies, a few being opened at a time. */
export async function openAll(port, cookies, together = 20) {
  const clients = []
  const waiting = cookies.values()
  const open = async () => {
    for (const cookie of waiting) clients.push(await Client.open(port, cookie))
  }
  await Promise.all(Array.from({ length: together }, open))
  return clients
}

/** Connects over HTTP long-polling and emits events, each after the answer to the one before. */
export async function poll(port, cookie, event, times) {
  const base = `http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`
  const request = async (sid, body) => {
    const url = sid ? `${base}&sid=${sid}` : base
    const response = await fetch(url, { headers: { cookie }, method: body ? 'POST' : 'GET', body })
    return response.text()
  }
  const { sid } = JSON.parse((await request()).slice(1))
  await request(sid, '40')
  await request(sid)
  for (let sent = 0; sent < times; sent++) {
    await request(sid, `42${sent}["${event}"]`)
    await request(sid)
  }
  await request(sid, '1')
}
