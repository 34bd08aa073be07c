/**
 * The clock of a registry: re-reads sessions that nobody has asked about for a while, asks about those whose time is over,
 * and tries again what could not be destroyed. One timer for all, which runs only while there is something to do, and
 * keeps no process alive.
 */
import { now, precision } from './clock'
import type { Endings } from './endings'
import type { LiveSession } from './live-session'
import type { SessionMap } from './session-map'

export class Recheck {
  /** Milliseconds between re-reads of an idle session. */
  interval = Number.POSITIVE_INFINITY

  readonly #sessions: SessionMap
  readonly #endings: Endings
  #timer: NodeJS.Timeout | undefined

  constructor(sessions: SessionMap, endings: Endings) {
    this.#sessions = sessions
    this.#endings = endings
  }

  /** To be called when there is something to do. */
  start(): void {
    if (this.#sessions.isClosed) return
    this.#timer ??= setInterval(() => this.#tick(), Math.max(10, Math.min(precision, this.interval / 2))).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    for (const live of this.#sessions) {
      if (live.isIdle) this.#sessions.dropIfIdle(live)
      else if (live.isHeld && this.#isDue(live)) live.refreshUnheard()
    }
    const isBusy = this.#endings.retry()
    if (!isBusy && this.#sessions.size === 0) this.stop()
  }

  /** The store decides, also of one that has expired as far as we know: another process may have touched it. */
  #isDue({ stored: { askedAt, shared } }: LiveSession): boolean {
    const asked = now() - askedAt
    return shared.isExpired ? asked >= precision : asked >= this.interval && !shared.isWithin(this.interval)
  }
}
