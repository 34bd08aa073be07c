/**
 * A server with socket.io-sessions on it, for its tests: the app of `support/app.ts`, `enable`, and clients that shake
 * hands in the two old ways.
 */
import { type EventEmitter, once } from 'node:events'
import { enable, type Options } from 'handshake-session/compat/socket.io-sessions'
import type { Server, Socket as ServerSocket } from 'socket.io'
import type { Socket } from 'socket.io-client'
import request from 'supertest'
import { type App, type AppOptions, type Connect, connect, next, secret, startApp } from '../support/app.js'
import { ObservableStore } from './observable-store.js'

export type Session = Record<string, unknown>
/** What `enable` returns, for listeners: a server of Socket.IO, as 0.9 and as 4 have it. */
export type Manager = EventEmitter & { readonly sockets: EventEmitter }

export interface SessionsApp extends App {
  store: ObservableStore
  manager: Manager
}

/** The three ways to call it that there were, on a Socket.IO 4 server; the first takes bare ids. */
export const generations: Record<string, Enable> = {
  '0.4': (app, options) => enable(app.io, app.store, options),
  '0.5 and 0.6': (app, options) => enable({ socket: app.io, store: app.store, secret, rawSid: true, ...options }),
}

export type Enable = (app: { io: Server; store: ObservableStore }, options?: Options) => unknown

/** Starts the app with sockets that know sessions; by default as 0.6 has it, with tokens. */
export async function start(enabling: Enable | Options = {}, options: AppOptions = {}): Promise<SessionsApp> {
  const store = new ObservableStore()
  const app = { ...(await startApp({ attach: false, ...options, store })), store }
  const manager =
    typeof enabling === 'function'
      ? enabling(app)
      : enable({ socket: app.io, store, ...(enabling.parser || enabling.cutter ? {} : { secret }), ...enabling })
  return { ...app, manager: manager as Manager }
}

export const scriptPath = '/socket.io/socket.io-sessions.js'

/** What the served script says as CONNECT_SID to the owner of this cookie. */
export async function connectSid(app: App, cookie = ''): Promise<string> {
  const { text } = await request(app.url).get(scriptPath).set('cookie', cookie).buffer().expect(200)
  return JSON.parse(/^var CONNECT_SID = (".*");\n/.exec(text)?.[1] ?? 'null')
}

export type Shake = (client: Socket, sid: unknown) => void
/** How a client says which session it has: as 0.4 and 0.5 did, and as 0.6 did. */
export const byMessage: Shake = (client, __sid) => void client.send({ __sid, connect: 1 })
export const byEvent: Shake = (client, __sid) => void client.emit('connect_with_session', { __sid })

/** A connected client, and its socket on the server. */
export async function join(
  app: SessionsApp,
  cookie?: string,
  io?: Connect,
): Promise<{ client: Socket; socket: ServerSocket }> {
  const connection = once(app.manager.sockets, 'connection')
  const client = connect(app.url, cookie, {}, io)
  await next(client, 'connect')
  const [socket] = (await connection) as [ServerSocket]
  return { client, socket }
}

/** A client that has shown its session and is a `sconnection` now: with the arguments of that event. */
export async function joinSession(app: SessionsApp, sid: string, shake = byEvent, io?: Connect) {
  const { client, socket } = await join(app, undefined, io)
  const connected = once(app.manager, 'sconnection')
  shake(client, sid)
  return { client, socket, args: (await connected) as [ServerSocket, Session] }
}

/** Resolves when the server has handled all that the client sent before this. */
export async function settled(client: Socket, socket: ServerSocket): Promise<void> {
  const handled = once(socket as unknown as EventEmitter, 'settled')
  client.emit('settled')
  await handled
}

/** The arguments of every such event from now on. */
export function record(emitter: unknown, event: string): unknown[][] {
  const calls: unknown[][] = []
  ;(emitter as EventEmitter).on(event, (...args: unknown[]) => calls.push(args))
  return calls
}
