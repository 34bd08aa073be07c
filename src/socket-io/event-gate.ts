/**
 * What happens before each event of a client reaches a handler: the session is fresh, still there, allowed, and touched.
 * Rule 3, order: events reach their handlers in the order in which they came, however long each waits here.
 */
import type { Tell } from '../errors'
import type { LiveSession } from '../session/live-session'
import type { Permission } from './permission'
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
  readonly #permission: Permission | undefined
  /** Events that wait for the session to be read, or to be allowed, in their order. */
  #waiting: Next[] | undefined

  constructor(live: LiveSession, options: GateOptions, permission: Permission | undefined) {
    this.#live = live
    this.#options = options
    this.#permission = permission
  }

  /**
   * A session that ended lets no event pass. One that cannot be read now lets none pass either; the error goes to `tell`,
   * and to the socket's own `error` event.
   */
  pass(_event: unknown[], next: Next): void {
    this.#enter(next)
  }

  #enter(next: Next): void {
    const isKnown = this.#waiting !== undefined || this.#live.isCurrent(this.#options.freshFor)
    if (isKnown) this.#handOut(next)
    else this.#wait(next, this.#live.refresh(), (each) => this.#handOut(each))
  }

  async #wait(first: Next, work: Promise<unknown>, go: (next: Next) => void): Promise<void> {
    const [live, waiting] = [this.#live, [first]]
    this.#waiting = waiting
    const failed = (error: unknown) => (live.ended ? undefined : this.#options.tell(error, 'refresh'))
    const failure = await work.then(() => undefined, failed)
    this.#waiting = undefined
    for (const next of waiting) failure ? next(failure) : go(next)
  }

  #handOut(next: Next): void {
    const [live, permission] = [this.#live, this.#permission]
    if (live.ended) return
    if (this.#waiting) return void this.#waiting.push(next) // Behind those that came before.
    if (permission && !permission.isCurrent) {
      const asking = permission.renew()
      if (asking) return void this.#wait(next, asking, (each) => this.#enter(each))
      if (permission.refusal) return
    }
    const { touch, tell } = this.#options
    if (touch && live.wantsTouch) live.touch().catch((error) => live.ended || tell(error, 'touch'))
    next()
  }
}
