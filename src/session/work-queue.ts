/**
 * Rule 3, order: work on a session is done one piece after the other, in the order in which it was asked for.
 */
import { SessionError } from '../errors'

interface Waiting {
  start(): Promise<void>
  reject(error: SessionError): void
}

export class WorkQueue {
  readonly #limit: { readonly timeout: number } | undefined
  readonly #waiting: Waiting[] = []
  #isRunning = false
  #watchdog: NodeJS.Timeout | undefined

  /**
   * @param limit milliseconds that a piece of work may take while others wait for it, counted from the last `goOn`; then those
   * who wait are rejected. So an `update` that is awaited inside another one of the same session fails instead of hanging.
   */
  constructor(limit?: { readonly timeout: number }) {
    this.#limit = limit
  }

  /** @throws SessionError (rejects) `ERR_SESSION_CONFLICT` when the work before it takes too long, and what `work` throws */
  run<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ start: () => work().then(resolve, reject), reject })
      if (this.#isRunning) this.#watch()
      else this.#work()
    })
  }

  /** Tells that the current work is not stuck: its time begins anew. */
  goOn(): void {
    clearTimeout(this.#watchdog)
    this.#watchdog = undefined
    if (this.#waiting.length > 0) this.#watch()
  }

  async #work(): Promise<void> {
    this.#isRunning = true
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      this.goOn()
      await next.start()
    }
    this.goOn()
    this.#isRunning = false
  }

  /** Limits the current work, as others wait for it. */
  #watch(): void {
    if (!this.#limit) return
    const { timeout } = this.#limit
    this.#watchdog ??= setTimeout(() => this.#giveUp(timeout), timeout).unref()
  }

  #giveUp(timeout: number): void {
    this.#watchdog = undefined
    const message =
      `the work before this on the same session takes longer than ${timeout} ms; ` +
      'an update or save of a session must not be awaited inside update'
    for (const { reject } of this.#waiting.splice(0)) reject(new SessionError('ERR_SESSION_CONFLICT', message))
  }
}
