/**
 * What happens before each event of a client reaches a handler: the session is fresh, still there, and touched.
 * Rule 3, order: events reach their handlers in the order in which they came, however long each waits here.
 */
import type { Tell } from '../errors'
import type { LiveSession } from '../session/live-session'
import type { EventMiddleware } from './socket-io-like'

export interface GateOptions {
  /** Milliseconds for which a read is trusted. */
  readonly freshFor: number
  /** Whether events extend the session. */
  readonly touch: boolean
  readonly tell: Tell
}

type Next = Parameters<EventMiddleware>[1]

export class EventGate {
  readonly #live: LiveSession
  readonly #options: GateOptions
  /** Events that wait for the session to be read, in their order. */
  #waiting: Next[] | undefined

  constructor(live: LiveSession, options: GateOptions) {
    this.#live = live
    this.#options = options
  }

  /**
   * A session that ended lets no event pass. One that cannot be read now lets none pass either; the error goes to `tell`,
   * and to the socket's own `error` event.
   */
  readonly pass: EventMiddleware = (_event, next) => {
    if (this.#waiting) this.#waiting.push(next)
    else if (this.#live.isCurrent(this.#options.freshFor)) this.#handOut(next)
    else this.#refresh(next)
  }

  async #refresh(first: Next): Promise<void> {
    const [live, waiting] = [this.#live, [first]]
    this.#waiting = waiting
    const failed = (error: unknown) => (live.ended ? undefined : this.#options.tell(error, 'refresh'))
    const failure = await live.refresh().then(() => undefined, failed)
    this.#waiting = undefined
    for (const next of waiting) failure ? next(failure) : this.#handOut(next)
  }

  #handOut(next: Next): void {
    const live = this.#live
    if (live.ended) return
    const { touch, tell } = this.#options
    if (touch && live.wantsTouch) live.touch().catch((error) => live.ended || tell(error, 'touch'))
    next()
  }
}
