/** Which session each connection has: one for all its namespaces, held for as long as it is open. */
import { notFound, SessionError } from '../errors'
import type { LiveSession } from '../session/live-session'
import type { ConnectionLike } from './socket-io-like'

export class Connections {
  readonly #held = new Map<object, LiveSession>()
  /** The one listener of all connections. */
  readonly #closed: (this: ConnectionLike) => void

  constructor() {
    const held = this.#held
    this.#closed = function closed() {
      this.off('close', closed)
      held.get(this)?.release(this)
      held.delete(this)
    }
  }

  sessionOf(conn: object): LiveSession | undefined {
    return this.#held.get(conn)
  }

  /** @throws SessionError `ERR_SESSION_ENDED`, `_NOT_FOUND`, `_CONFLICT` if it has another session */
  hold(opened: LiveSession, conn: ConnectionLike): LiveSession {
    if (conn.readyState !== 'open') throw new SessionError('ERR_SESSION_ENDED', 'the client left while it connected')
    const held = this.#held.get(conn)
    if (held?.ended) throw notFound()
    if (held && held.id !== opened.id) throw twoSessions()
    if (held) return held
    const live = opened.hold(conn)
    this.#held.set(conn, live)
    conn.on('close', this.#closed)
    return live
  }
}

export function twoSessions(): SessionError {
  return new SessionError('ERR_SESSION_CONFLICT', 'this connection has another session')
}
