/**
 * From a session object to the live session behind it: a shim that loads sessions is only a function of the handshake,
 * and leaves nothing but the object there; the server's shim finds it again, and holds it for the connection.
 */
import type { ExpressSession } from '../src'
import type { ConnectionLike, LiveSession } from '../src/internals'

const behind = new WeakMap<object, LiveSession>()

/** Lets `holdSession` find this live session by its session object. */
export function rememberLive(live: LiveSession): void {
  behind.set(live.session, live)
}

/** Milliseconds for which a live session is believed without asking the store, as by default in the core. */
export const freshFor = 5_000

/**
 * Keeps the session fresh as long as the connection is open, and closes the connection when the session ends.
 * @returns the session to use from now on; any other value than a remembered session comes back as it is
 * @throws SessionError (rejects) `ERR_SESSION_NOT_FOUND` when it is over, `_STORE`, `_TIMEOUT`
 */
export async function holdSession(session: unknown, conn: ConnectionLike): Promise<unknown> {
  const live = behind.get(Object(session))
  if (!live) return session
  if (conn.readyState !== 'open') return session
  const held = live.hold(conn)
  conn.on('close', () => held.release(conn))
  // Nobody told us what happened to a session that nobody held.
  if (!held.isCurrent(freshFor)) await held.refresh()
  return held.session satisfies ExpressSession
}
