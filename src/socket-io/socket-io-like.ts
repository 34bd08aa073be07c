/** The part of Socket.IO's public API that is used, typed structurally, so that our types force no version on anybody. */
import type { HandshakeLike } from '../handshake/identify'
import type { Holder } from '../session/live-session'
import type { ExpressSession } from '../store/record'

/** Of an Engine.IO connection: one per client, shared by its namespaces. */
export interface ConnectionLike extends Holder {
  readyState: string
  on(event: 'close', listener: (this: ConnectionLike) => void): unknown
  off(event: 'close', listener: (this: ConnectionLike) => void): unknown
}

/** What each event of a client passes. */
export type EventMiddleware = (event: unknown[], next: (error?: Error) => void) => void

/** Of a `Socket`. `request` is null over WebTransport. */
export interface SocketLike {
  id: string
  conn: ConnectionLike
  handshake: HandshakeLike & Partial<SessionHandshake>
  request: object | null | undefined
  recovered?: boolean
  data: object
  nsp: NamespaceLike
  use(middleware: EventMiddleware): unknown
  join(rooms: string | string[]): Promise<void> | void
  emit(event: string, ...args: unknown[]): unknown
  on(event: 'disconnect', listener: () => void): unknown
  disconnect(): unknown
}

/** Of a `Namespace`. */
export interface NamespaceLike {
  readonly name: string
  adapter: { restoreSession?(pid: string, offset: string): Promise<unknown>; delAll(id: string): unknown }
  use(guard: never): unknown
  prependListener(event: 'connect', listener: (...sockets: SocketLike[]) => void): unknown
}

/** Whatever can tell other Socket.IO servers: a `Server`, or an `Emitter` of `@socket.io/redis-emitter`. */
export interface Channel {
  serverSideEmit(event: string, ...args: unknown[]): unknown
}

/** Of a `Server`. Its other events come from other servers. */
export interface ServerLike extends Channel {
  readonly sockets: NamespaceLike
  on(event: 'new_namespace', listener: (namespace: NamespaceLike) => void): unknown
  on(event: string, listener: (news: unknown) => void): unknown
  off(event: string, listener: (news: unknown) => void): unknown
}

/** What `attach` adds to a Socket.IO handshake. With `required: false`, check that they are there. */
export interface SessionHandshake {
  /** The live session. */
  session: ExpressSession
  /** Its id. */
  sessionID: string
}
