/**
 * What is used of Socket.IO beyond its public API, in one place: only where no public way exists, each with its reason, and
 * with what happens where a version does not have it. `test/matrix.mjs` runs all of them on the oldest and the newest.
 */
import { SessionError } from '../errors'
import type { CorsLike } from '../handshake/origin'
import type { NamespaceLike, ServerLike } from './socket-io-like'

/** A guard that cannot be everywhere is none: without these, `attach` throws. */
function required<T>(part: T | undefined, name: string): T {
  if (part !== undefined) return part
  throw new SessionError('ERR_SESSION_OPTIONS', `attach: this version of Socket.IO is not known: it has no ${name}`)
}

/** The namespaces that exist: `of()` would make them, and there is no list. */
export function namespacesOf(io: ServerLike): NamespaceLike[] {
  const { _nsps } = io as { _nsps?: Map<string, NamespaceLike> }
  return [...required(_nsps, '_nsps').values()]
}

/** The middlewares of a namespace, in their order: nothing tells whether one is there, or puts one before others. */
export function middlewaresOf(namespace: NamespaceLike): unknown[] {
  return required((namespace as { _fns?: unknown[] })._fns, '_fns')
}

/** The children of a dynamic namespace; only the server tells of them, one by one. None for an ordinary one. */
export function childrenOf(namespace: NamespaceLike): ReadonlySet<NamespaceLike> {
  return (namespace as { children?: Set<NamespaceLike> }).children ?? new Set()
}

/** The `cors` option of a server that is bound to an HTTP server, and so has its engine. Without it, no other site may. */
export function corsOf(io: object): CorsLike | undefined {
  return (io as { engine?: { opts?: { cors?: CorsLike } } }).engine?.opts?.cors
}

/** Middlewares decide about recovered connections as well; without the option there is no recovery. */
export function neverSkipMiddlewares(io: unknown): void {
  const recovery: unknown = Object(Object(io).opts).connectionStateRecovery
  if (recovery) Object.assign(recovery, { skipMiddlewares: false })
}

/** Calls `work` now and whenever the namespace gets another adapter, of which no event tells. */
export function onAdapter(namespace: { adapter: object }, work: () => void): void {
  const watched = namespace as { _initAdapter?(): void }
  const init = watched._initAdapter
  watched._initAdapter = () => {
    init?.call(namespace)
    work()
  }
  work()
}

/** Makes a socket that is connecting a new connection: its ids are read-only, and it is known by them already. */
export function replaceIDs(socket: { id: string; nsp: object }, id: string, pid: string): void {
  const { _preConnectSockets: connecting } = socket.nsp as { _preConnectSockets?: Map<string, unknown> }
  connecting?.delete(socket.id)
  Object.assign(socket, { id, pid })
  connecting?.set(id, socket)
}

/** Whether an adapter talks to other servers: in the in-memory one `serverSideEmit` only warns, by the base class. */
export function reachesOthers(adapter: object): boolean {
  let owner: object | null = adapter
  while (owner && !Object.hasOwn(owner, 'serverSideEmit')) owner = Object.getPrototypeOf(owner)
  return owner !== null && owner.constructor.name !== 'Adapter'
}
