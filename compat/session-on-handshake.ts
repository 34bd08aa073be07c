/**
 * What the shims have in common that were given what `session()` returned: a function for `io.use` and `namespace.use` that
 * puts a session on the handshake, and a new one on that of visitors without; who fails is refused.
 */
import { handshakeSession, SessionError, type SessionMiddleware } from '../src'
import { type Guard, guardOf, registryOf, type SessionRegistry, type SocketLike } from '../src/internals'
import { isWorthSaving, newSession } from './new-session'

interface Guarded {
  readonly guard: Guard
  readonly registry: SessionRegistry
}

/** For `io.use` and `namespace.use`. */
export type SocketMiddleware = (socket: { readonly handshake: object }, next: (error?: Error) => void) => void

export interface SessionOnHandshake {
  /** Puts `session` and `sessionID` there, or refuses. */
  readonly use: SocketMiddleware
  /** Saves what was changed, for who is not asked to: nothing of a new session that nobody changed, or of one that is over. */
  saveChanges(socket: SocketLike): void
}

/** One for all namespaces, and all shims. Joined for good: the old APIs have no `close`. */
const known = new WeakMap<SessionMiddleware, Guarded>()

/**
 * @param name of the package, for messages
 * @throws SessionError `ERR_SESSION_OPTIONS`
 */
export function sessionOnHandshake(name: string, middleware: SessionMiddleware): SessionOnHandshake {
  const { guard, registry } = known.get(middleware) ?? guarded(name, middleware)
  const failed = (error: unknown) => error && registry.unheard(error, 'save')
  return {
    use(given, next) {
      const socket = given as SocketLike
      guard(socket, (refusal) => next(refusal ?? addNewSession(middleware, registry, socket)))
    },
    saveChanges({ handshake: { session } }) {
      if (session && isWorthSaving(session)) session.save(failed)
    },
  }
}

/** Where there is none. @returns what `session()` fails with, by a `genid` of the app's own, say */
function addNewSession(
  middleware: SessionMiddleware,
  registry: SessionRegistry,
  socket: SocketLike,
): Error | undefined {
  // Not by asking for it: of middlewares that come before attach() that is told to be a mistake.
  if (Object.getOwnPropertyDescriptor(socket.handshake, 'session')?.value) return undefined
  try {
    const created = newSession(middleware, registry, socket)
    if (!created) return undefined
    Object.assign(socket.handshake, { session: created.session, sessionID: created.session.id })
    socket.use((_event, next) => {
      created.follow()
      next()
    })
    return undefined
  } catch (cause) {
    const refusal = new SessionError('ERR_SESSION_STORE', 'session() made no new session', { cause })
    registry.unheard(refusal, 'handshake')
    return refusal.forClient()
  }
}

function guarded(name: string, middleware: SessionMiddleware): Guarded {
  if (typeof middleware !== 'function') {
    throw new SessionError('ERR_SESSION_OPTIONS', `${name}: expected the function that session({ … }) returned`)
  }
  const sessions = handshakeSession(middleware, { required: false })
  const found = { guard: guardOf(sessions), registry: registryOf(sessions) }
  known.set(middleware, found)
  return found
}
