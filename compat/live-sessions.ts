/**
 * From a session object to the live session behind it: a shim that loads sessions is only a function of the handshake,
 * and leaves nothing but the object there; the server's shim finds it again, and holds it for the connection.
 */
import type { ExpressSession } from '../src'
import type { ConnectionLike, LiveSession, SessionRegistry } from '../src/internals'

const behind = new WeakMap<object, { live: LiveSession; registry: SessionRegistry }>()

/** Lets `holdSession` find this live session by its session object. */
export function rememberLive(live: LiveSession, registry: SessionRegistry): void {
  behind.set(live.session, { live, registry })
}

/**
 * Keeps the session fresh as long as the connection is open, and closes the connection when the session ends.
 * @returns the session to use from now on; any other value than a remembered session comes back as it is
 * @throws SessionError (rejects) `ERR_SESSION_NOT_FOUND` when it is over, `_STORE`, `_TIMEOUT`
 */
export async function holdSession(session: unknown, conn: ConnectionLike): Promise<unknown> {
  const found = behind.get(Object(session))
  if (!found) return session
  const { live, registry } = found
  // Nobody told us what happened to a session that nobody held.
  if (live.holders.length === 0) await registry.during(live, () => live.refresh())
  if (conn.readyState !== 'open') return session
  const held = registry.hold(live, conn)
  conn.on('close', () => registry.release(held, conn))
  return held.session satisfies ExpressSession
}
