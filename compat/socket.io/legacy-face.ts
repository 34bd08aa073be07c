/**
 * The face of Socket.IO 0.9, as apps see it: the options, and what a server, a namespace and an authorizer are by their types.
 * `legacy.ts` puts it on a server.
 */
import type { Namespace, Server, Socket } from 'socket.io'
import type { SocketData } from './socket-data'

export interface LegacyOptions {
  /**
   * What a refused client is told: `'0.9'` "handshake unauthorized" or "handshake error"; `'1.x'` "Not authorized" or the
   * authorizer's own error as text, which may tell strangers what you would not. @default '0.9', or as package.json says
   */
  errorStyle?: '0.9' | '1.x'
  /**
   * Where a client is refused: `'socket'` when it is connected, so that it is told why; `'http'` as 0.9, before there is a
   * connection: HTTP 403, of which clients say no more than `xhr poll error` or `websocket error`. @default 'socket'
   */
  refuseAt?: 'http' | 'socket'
  /** `handshake.address` is `{ address, port }` as in 0.9, and reads as a string; false: a string. @default true */
  legacyAddress?: boolean
  /** Milliseconds that an authorizer has for its answer; then the client is refused. @default 10_000 */
  timeout?: number
}

/** What `legacy` adds to a server. */
export interface LegacyFace {
  /** With one argument `get`. Emits `set:<key>` with `(value, key)`, on this server only. */
  set(key: string, value: unknown): this
  set(key: string): unknown
  get(key: string): unknown
  enable(key: string): this
  disable(key: string): this
  enabled(key: string): boolean
  disabled(key: string): boolean
  /** Calls `fn` with the server as `this`, at once; with `env` only if that is `NODE_ENV` (`'development'` if unset). */
  configure(fn: () => void): this
  configure(env: string, fn: () => void): this
  /** The sockets of the main namespace, or those of a room of it, on this node. */
  clients(room?: string): LegacySocket[]
  readonly sockets: LegacyNamespace
  of(...args: Parameters<Server['of']>): LegacyNamespace
}

export type LegacyServer = LegacyFace & Server
export type LegacySocket = Socket & SocketData
export type LegacyNamespace = Namespace & {
  /** Asked after the server's own authorization; falsy takes it away. A refused client is told "unauthorized". */
  authorization(fn: Authorize | false | null | undefined): LegacyNamespace
  /** The sockets of the namespace, or of a room of it, on this node. */
  clients(room?: string): LegacySocket[]
}

/** `newData`, if it is an object, is put on the handshake: 0.9 documented it, and dropped it. */
export type Answer = [error?: unknown, authorized?: unknown, newData?: unknown]
/** `this` is the server, or the namespace that is asked for. */
export type Authorize = (this: never, handshake: never, answer: (...args: Answer) => void) => unknown
