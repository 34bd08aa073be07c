/**
 * Where Socket.IO is touched: a guard in every namespace, the session on the handshake, and the types that say so.
 * Who gets in is `admission.ts`'s decision.
 */

import type { ServerChannel } from './cluster'
import type { HandshakeLike } from './handshake'
import type { Holder } from './live-session'
import type { CorsLike } from './origin'
import { neverSkipMiddlewares, type RecoverableSocket, withholdRecovery } from './recovery'
import type { ExpressSession } from './store'

/** The part of an Engine.IO connection that is used: one per client, shared by its namespaces. */
export interface ConnectionLike extends Holder {
  readyState: string
  on(event: 'close', listener: (this: ConnectionLike) => void): unknown
  off(event: 'close', listener: (this: ConnectionLike) => void): unknown
}

/** The part of a Socket.IO `Socket` that is used. `request` is null over WebTransport. */
export interface SocketLike extends RecoverableSocket {
  conn: ConnectionLike
  handshake: HandshakeLike & Partial<SessionHandshake>
  request: Partial<SessionHandshake> | null | undefined
  use(gate: Gate): unknown
}

/** What each event of a client passes. */
export type Gate = (event: unknown[], next: (error?: Error) => void) => void

export type Guard = (socket: SocketLike, next: (error?: Error) => void) => void

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

export function isServer(target: unknown): target is ServerLike {
  const { sockets, of } = Object(target) as { sockets?: unknown; of?: unknown }
  return typeof of === 'function' && isNamespace(sockets)
}

export function isNamespace(target: unknown): target is NamespaceLike {
  const { use, name } = Object(target) as { use?: unknown; name?: unknown }
  return typeof use === 'function' && typeof name === 'string'
}

/**
 * Guards every namespace of a server: `io.use` would cover `/` alone, and clients may join `/admin` without it.
 * In those that come later, children of dynamic ones among them, the guard stands before every other middleware.
 */
export function guardServer(io: ServerLike, guard: Guard): void {
  const { _nsps: namespaces } = io as unknown as { _nsps: Map<string, NamespaceLike> }
  for (const namespace of namespaces.values()) addGuard(namespace, guard)
  io.on('new_namespace', (namespace) => {
    addGuard(namespace, guard)
    const { _fns: middlewares } = namespace as unknown as Middlewares
    middlewares.unshift(...middlewares.splice(middlewares.indexOf(guard), 1))
  })
}

/** Guards one namespace; of a dynamic one its children, which get its middlewares from Socket.IO. */
export function guardNamespace(namespace: NamespaceLike, guard: Guard): void {
  const { server, children } = namespace as unknown as { server: ServerLike; children?: Set<NamespaceLike> }
  for (const each of [namespace, ...(children ?? [])]) addGuard(each, guard)
  server.on('new_namespace', (child) => {
    if (children?.has(child)) withholdRecovery(child as never)
  })
}

interface Middlewares {
  _fns: unknown[]
}

/** Once, also when server and namespace are both attached to. */
function addGuard(namespace: NamespaceLike, guard: Guard): void {
  const { server, _fns: middlewares } = namespace as unknown as Middlewares & { server: unknown }
  neverSkipMiddlewares(server)
  withholdRecovery(namespace as never)
  if (!middlewares.includes(guard)) namespace.use(guard as never)
}

/** The server of a namespace, or the server itself. */
export function serverOf(target: ServerLike | NamespaceLike): ServerChannel {
  return (isServer(target) ? target : (target as unknown as { server: unknown }).server) as ServerChannel
}

/** The server's `cors` option. The engine comes when the server is bound to an HTTP server, so it is read late. */
export function corsOf(io: ServerLike): CorsLike | undefined {
  return (io.engine as { opts?: { cors?: CorsLike } } | undefined)?.opts?.cors
}

/**
 * `socket.use`, for a socket that has no middleware yet: it would push to an array, which then has room for 17, and that
 * is a tenth of what a connection with a session costs in memory.
 */
export function useFirst(socket: SocketLike, gate: Gate): void {
  const { fns } = socket as { fns?: unknown }
  if (Array.isArray(fns) && fns.length === 0) Object.assign(socket, { fns: [gate] })
  else socket.use(gate)
}

/** Puts the session where apps look for it: on the handshake, and on the request as the docs' recipe has it. */
export function expose({ handshake, request }: SocketLike, live?: { id: string; session: ExpressSession }): void {
  for (const place of request ? [handshake, request] : [handshake]) {
    place.sessionID = live?.id as string
    place.session = live?.session as ExpressSession
  }
}

/** What `attach` adds to a Socket.IO handshake. With `required: false`, check that they are there. */
export interface SessionHandshake {
  /** The live session. */
  session: ExpressSession
  /** Its id. */
  sessionID: string
}
