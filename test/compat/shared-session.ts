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
