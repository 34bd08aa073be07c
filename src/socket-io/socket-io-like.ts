/**
 * The part of Socket.IO's public API that is used, typed structurally, so that our types force no version on anybody.
 */
import type { HandshakeLike } from '../handshake/identify'
import type { Holder } from '../session/live-session'
import type { ExpressSession } from '../store/record'

/** The part of an Engine.IO connection that is used: one per client, shared by its namespaces. */
export interface ConnectionLike extends Holder {
  readyState: string
  on(event: 'close', listener: (this: ConnectionLike) => void): unknown
  off(event: 'close', listener: (this: ConnectionLike) => void): unknown
}

/** What each event of a client passes. */
export type EventMiddleware = (event: unknown[], next: (error?: Error) => void) => void

/** The part of a Socket.IO `Socket` that is used. `request` is null over WebTransport. */
export interface SocketLike extends RecoverableSocket {
  conn: ConnectionLike
  handshake: HandshakeLike & Partial<SessionHandshake>
  request: Partial<SessionHandshake> | null | undefined
  use(middleware: EventMiddleware): unknown
}

/** The part of a Socket.IO `Namespace` that is used. */
export interface NamespaceLike {
  readonly name: string
  use(guard: never): unknown
}

/** The part of a Socket.IO `Server` that is used. */
export interface ServerLike {
  readonly sockets: NamespaceLike
  readonly engine: unknown
  on(event: 'new_namespace', listener: (namespace: NamespaceLike) => void): unknown
}

export interface RecoverableNamespace {
  adapter: { restoreSession?(pid: string, offset: string): Promise<unknown>; delAll(id: string): unknown }
  on(event: 'connection', listener: (socket: RecoverableSocket) => void): unknown
}

export interface RecoverableSocket {
  id: string
  recovered?: boolean
  data: object
  nsp: RecoverableNamespace
  join(rooms: string | string[]): Promise<void> | void
  emit(event: string, ...args: unknown[]): unknown
}

/** What `attach` adds to a Socket.IO handshake. With `required: false`, check that they are there. */
export interface SessionHandshake {
  /** The live session. */
  session: ExpressSession
  /** Its id. */
  sessionID: string
}
