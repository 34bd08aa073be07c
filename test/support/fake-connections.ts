/** Many connections at once, without a network. */
import { EventEmitter } from 'node:events'
import { sign } from 'cookie-signature'
import { type App, secret } from './app.js'

class Conn extends EventEmitter {
  readyState = 'open'
  readonly protocol = 4
  readonly transport = { writable: true }
  readonly remoteAddress = '127.0.0.1'
  readonly id = Math.random().toString(36)

  constructor(readonly request: object) {
    super()
  }

  write(): void {}

  close(): void {
    this.readyState = 'closed'
    this.emit('close', 'forced close')
  }
}

/** So many of each session: what is counted by it is ours, and 10 000 real ones would be the system's. */
export async function connectFakes(app: App, ids: string[], each: number) {
  const conns = ids.flatMap((id) => {
    const cookie = `connect.sid=${encodeURIComponent(`s:${sign(id, secret)}`)}`
    return Array.from({ length: each }, () => new Conn({ headers: { cookie }, connection: {}, _query: {} }))
  })
  const connected = new Promise<void>((done) => {
    let count = 0
    app.io.on('connection', () => ++count === conns.length && done())
  })
  for (const conn of conns) {
    app.io.engine.emit('connection', conn as never)
    conn.emit('data', '0')
  }
  await connected
  return conns
}
