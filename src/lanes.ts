/**
 * The order of work: one lane per session id, in which each piece of work waits for the one before it, failed or not.
 */
import { SessionError } from './errors'

interface Waiting {
  start(): Promise<void>
  reject(error: SessionError): void
}

class Queue {
  watchdog: NodeJS.Timeout | undefined
  readonly waiting: Waiting[] = []
}

export class Lanes {
  /**
   * Milliseconds that a piece of work may take while others wait for it; then those are rejected. So an `update` that is
   * awaited inside another of the same session fails instead of hanging for ever.
   */
  patience = 10_000

  readonly #queues = new Map<string, Queue>()

  /** @throws SessionError (rejects) `ERR_SESSION_CONFLICT` when the work before it takes too long, and what `work` throws */
  run<T>(id: string, work: () => Promise<T>): Promise<T> {
    const running = this.#queues.get(id)
    const queue = running ?? new Queue()
    return new Promise((resolve, reject) => {
      queue.waiting.push({ start: () => work().then(resolve, reject), reject })
      if (running) queue.watchdog ??= this.#watch(queue)
      else this.#work(id, queue)
    })
  }

  async #work(id: string, queue: Queue): Promise<void> {
    this.#queues.set(id, queue)
    for (let next = queue.waiting.shift(); next; next = queue.waiting.shift()) {
      if (queue.waiting.length > 0) queue.watchdog = this.#watch(queue)
      await next.start()
      clearInterval(queue.watchdog)
      queue.watchdog = undefined
    }
    this.#queues.delete(id)
  }

  /** Over the work that runs now, as long as others wait for it. */
  #watch(queue: Queue): NodeJS.Timeout {
    return setInterval(() => giveUp(queue, this.patience), this.patience).unref()
  }
}

function giveUp(queue: Queue, patience: number): void {
  const message =
    `the work before this on the same session takes longer than ${patience} ms; ` +
    'an update or save of a session must not be awaited inside update'
  for (const { reject } of queue.waiting.splice(0)) reject(new SessionError('ERR_SESSION_CONFLICT', message))
}
