/** A guard in every namespace of a Socket.IO server. Who gets in is `admission.ts`'s decision. */
import { SessionError } from '../errors'
import type { EarlyMiddlewares } from './early-middlewares'
import { childrenOf, middlewaresOf, namespacesOf, neverSkipMiddlewares } from './private-parts'
import { withholdRecovery } from './recovery'
import type { NamespaceLike, ServerLike, SocketLike } from './socket-io-like'

export type Guard = (socket: SocketLike, next: (error?: Error) => void) => void

export function isServer(target: unknown): target is ServerLike {
  const { sockets, of } = Object(target) as { sockets?: unknown; of?: unknown }
  return typeof of === 'function' && isNamespace(sockets)
}

function isNamespace(target: unknown): target is NamespaceLike {
  const { use, name } = Object(target) as { use?: unknown; name?: unknown }
  return typeof use === 'function' && typeof name === 'string'
}

/** The server of a namespace, or the server itself. */
export function serverOf(target: ServerLike | NamespaceLike): ServerLike {
  return isServer(target) ? target : (target as unknown as { server: ServerLike }).server
}

/** @throws SessionError `ERR_SESSION_OPTIONS` */
export function guard(target: ServerLike | NamespaceLike, guard: Guard, early?: EarlyMiddlewares): void {
  if (isServer(target)) guardServer(target, guard, early)
  else if (isNamespace(target)) guardNamespace(target, guard, early)
  else throw new SessionError('ERR_SESSION_OPTIONS', 'attach: expected a Socket.IO 4 Server or Namespace')
}

/**
 * Guards every namespace of a server: `io.use` would cover `/` alone, and clients may join `/admin` without it.
 * In those that come later, children of dynamic ones among them, the guard stands before every other middleware.
 */
export function guardServer(io: ServerLike, guard: Guard, early?: EarlyMiddlewares): void {
  for (const namespace of namespacesOf(io)) addGuard(namespace, guard, early)
  io.on('new_namespace', (namespace: NamespaceLike) => {
    addGuard(namespace, guard)
    const middlewares = middlewaresOf(namespace)
    middlewares.unshift(...middlewares.splice(middlewares.indexOf(guard), 1))
  })
}

/** Guards one namespace; of a dynamic one its children, which get its middlewares from Socket.IO. */
function guardNamespace(namespace: NamespaceLike, guard: Guard, early: EarlyMiddlewares | undefined): void {
  const children = childrenOf(namespace)
  for (const each of [namespace, ...children]) addGuard(each, guard, early)
  serverOf(namespace).on('new_namespace', (child: NamespaceLike) => {
    if (children.has(child)) withholdRecovery(child)
  })
}

/** Those of all instances: after one of them sessions are known. */
const guards = new WeakSet<Guard>()

/** Once, also when server and namespace are both attached to. */
function addGuard(namespace: NamespaceLike, guard: Guard, early?: EarlyMiddlewares): void {
  prepare(namespace)
  const there = middlewaresOf(namespace)
  if (there.includes(guard)) return
  if (!there.some((each) => guards.has(each as Guard))) early?.watch(namespace)
  guards.add(guard)
  namespace.use(guard as never)
}

/** From now on lost connections come back to this namespace by its guards alone. */
export function prepare(namespace: NamespaceLike): void {
  neverSkipMiddlewares(serverOf(namespace))
  withholdRecovery(namespace)
}
