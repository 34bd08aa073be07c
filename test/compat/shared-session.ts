/** What the tests of the shims share whose sessions are on `socket.handshake`: an app whose store is the shim's alone, and a client of it. */
import { setImmediate as turn } from 'node:timers/promises'
import type session from 'express-session'
import type { Server, Socket as ServerSocket } from 'socket.io'
import type { Socket } from 'socket.io-client'
import { type App, type AppOptions, connect, next, startApp } from '../support/app.js'

export type Middleware = Parameters<Server['use']>[0]
export type Held = session.Session & Partial<session.SessionData>

export function heldBy(socket: ServerSocket): Held {
  return socket.handshake.session as Held
}

/** Nobody but the shim uses its store: what is there must not help the original. */
export async function startBare(options: AppOptions = {}): Promise<App> {
  const app = await startApp({ attach: false, form: 'middleware', ...options })
  app.sessions.close()
  return app
}

/** Clients read, change and save their session by events. */
export function serve(socket: ServerSocket): void {
  socket.on('get', (key, answer) => answer(heldBy(socket)?.[key]))
  socket.on('set', (key, value, answer) => {
    heldBy(socket)[key] = value
    answer?.()
  })
  socket.on('save', (answer) => heldBy(socket).save((error: unknown) => answer(error ? 'failed' : 'saved')))
}

/** A client that was let in, and its socket on the server. */
export async function join(
  app: App,
  cookie?: string,
  namespace = '/',
): Promise<{ client: Socket; socket: ServerSocket }> {
  const connection = next<ServerSocket>(app.io.of(namespace), 'connection')
  const client = connect(app.url + namespace, cookie)
  await next(client, 'connect')
  return { client, socket: await connection }
}

/** The code of the refusal, its message where it has none, or 'in'. */
export function fateOf(client: Socket): Promise<string> {
  return next(client, 'connect').then(
    () => 'in',
    (error) => error.data?.code ?? error.message,
  )
}

export function stored(app: App, id: string): Promise<session.SessionData | null | undefined> {
  return new Promise((resolve) => app.store.get(id, (_, data) => resolve(data)))
}

/** What the store holds once somebody has written the key. */
export async function written(app: App, id: string, key: string): Promise<session.SessionData> {
  for (;;) {
    const record = await stored(app, id)
    if (record && key in record) return record
    await turn()
  }
}

/** Joins a room, loses its connection while something is sent there, and comes back: whether it is given back what it had. */
export async function comesBack(app: App, cookie?: string): Promise<boolean> {
  const joined = next<ServerSocket>(app.io, 'connection')
  const client = connect(app.url, cookie, { transports: ['websocket'] })
  const socket = await joined
  socket.join('room')
  const greeted = next(client, 'hello')
  socket.emit('hello') // With an offset, by which the client asks.
  await greeted
  const left = next(socket, 'disconnect')
  client.io.engine.close()
  await left
  app.io.to('room').emit('missed')
  const again = next<ServerSocket>(app.io, 'connection')
  client.connect()
  return (await again).rooms.has('room')
}
