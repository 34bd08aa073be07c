/**
 * The clock of a registry: ends sessions whose time is over, and re-reads those that nobody has read for a while. One
 * timer for all sessions, which runs only while there are any and keeps no process alive.
 */
import type { LiveSession } from './live-session'
import type { SessionIndex } from './session-index'

/** How late an expiry may be noticed, in ms. */
const precision = 500

export class Lifetime {
  /** Milliseconds between re-reads of an idle session. */
  recheck = 60_000

  readonly #sessions: SessionIndex
  readonly #failed: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined

  constructor(sessions: SessionIndex, failed: (error: unknown) => void) {
    this.#sessions = sessions
    this.#failed = failed
  }

  /** To be called when there are sessions. */
  start(): void {
    this.#timer ??= setInterval(() => this.#tick(), Math.max(10, Math.min(precision, this.recheck / 2))).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    if (this.#sessions.size === 0) this.stop()
    const now = Date.now()
    for (const live of this.#sessions) {
      if (this.#isDue(live, now)) live.refresh().catch((error) => live.ended || this.#failed(error))
    }
  }

  /** The store decides, also of one that has expired as far as we know: another process may have touched it. */
  #isDue(live: LiveSession, now: number): boolean {
    return (
      now - Math.max(live.readAt, live.askedAt) >= this.recheck || (live.isExpired && now - live.askedAt >= precision)
    )
  }
}
