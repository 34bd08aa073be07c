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
  clients: Clients<LegacyServer>
  readonly sockets: LegacyNamespace
  of(...args: Parameters<Server['of']>): LegacyNamespace
  /** `''`, or the function or text that was set. With an argument `set('origins', …)`. */
  origins(): unknown
  origins(value: unknown): this
  /** Nothing today: the data itself is looked at. */
  readonly json: LegacyNamespace
  binary(isBinary?: boolean): LegacyNamespace
  readonly nsps: Readonly<Record<string, LegacyNamespace>> & Map<string, LegacyNamespace>
  readonly namespaces: Readonly<Record<string, LegacyNamespace>>
  readonly connected: LegacySockets
  readonly handshaken: Readonly<Record<string, Socket['handshake']>>
  readonly transports: Readonly<Record<string, Socket['conn']['transport']>>
  /** Room → ids; `''` is everybody, and rooms begin with `/`. */
  readonly rooms: Readonly<Record<string, string[]>>
  readonly roomClients: Readonly<Record<string, Record<string, true>>>
  readonly settings: Readonly<Record<string, unknown>>
  readonly server: Server['httpServer']
  /** The `logger` that was set, or `DEBUG=socket.io:log`. */
  readonly log: Log
}

export type Log = Record<'debug' | 'error' | 'info' | 'warn', (...args: unknown[]) => void>

/** The sockets of a namespace on this node, or those of a room of it; for a function, the ids, of all nodes. The last is what inference takes. */
interface Clients<Self> {
  (callback: (error: unknown, ids?: string[]) => void): Self
  (room?: string): LegacySocket[]
}

type LegacySockets = Map<string, LegacySocket> & Readonly<Record<string, LegacySocket>>

/** Before those of Socket.IO, which give a promise. */
interface Rooms {
  join(room: string | string[], callback?: (error: unknown) => void): LegacySocket
  leave(room: string | string[], callback?: (error: unknown) => void): LegacySocket
}

interface Common {
  readonly manager: LegacyServer
  readonly log: Log
  readonly json: this
  binary(isBinary?: boolean): this
  /** To listeners of this process only. */
  $emit(event: string, ...args: unknown[]): boolean
}

export type LegacyServer = LegacyFace & Server
export type LegacySocket = Rooms &
  Common &
  Socket &
  SocketData & {
    readonly namespace: LegacyNamespace
    readonly transport: string
    readonly readable: boolean
    readonly store: SocketData
  }
export type LegacyNamespace = Common &
  Namespace & {
    /** Asked after the server's own authorization; falsy takes it away. A refused client is told "unauthorized". */
    authorization(fn: Authorize | false | null | undefined): LegacyNamespace
    clients: Clients<LegacyNamespace>
    readonly connected: LegacySockets
    /** The socket of that id; if it is not on this node, an object by which it is reached on others. */
    socket(id: string): LegacySocket
  }

/** `newData`, if it is an object, is put on the handshake: 0.9 documented it, and dropped it. */
export type Answer = [error?: unknown, authorized?: unknown, newData?: unknown]
/** `this` is the server, or the namespace that is asked for. */
export type Authorize = (this: never, handshake: never, answer: (...args: Answer) => void) => unknown
