/** Who waits for an answer, and how long: one timer for all of them, because most answers come at once. */

/** A call that waits for its answer. */
export interface Deadline {
  /** In ms since the process began: clocks may be set. */
  readonly at: number
  /** What to do then; nothing once it is over. */
  expire: (() => void) | undefined
}

export class Deadlines {
  /** In this order, as all wait equally long. */
  readonly #waiting = new Set<Deadline>()
  #timer: NodeJS.Timeout | undefined

  /** Calls `expire` in so many milliseconds, unless `end` is told of it before. */
  begin(expire: () => void, milliseconds: number): Deadline {
    const deadline = { at: Math.ceil(performance.now()) + milliseconds, expire }
    this.#waiting.add(deadline)
    this.#timer ??= this.#check(milliseconds)
    return deadline
  }

  /** Drops `expire`, too: V8 can keep the table that a Set has outgrown, and with it what its entries refer to. */
  end(deadline: Deadline): void {
    this.#waiting.delete(deadline)
    deadline.expire = undefined
  }

  /** What `work` gives; unless it takes so many milliseconds: then rejects with what `late` makes. */
  limit<T>(work: PromiseLike<T>, milliseconds: number, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const deadline = this.begin(() => reject(late()), milliseconds)
      Promise.resolve(work)
        .finally(() => this.end(deadline))
        .then(resolve, reject)
    })
  }

  #check(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      const now = performance.now()
      for (const deadline of this.#waiting) {
        if (deadline.at > now) break
        const { expire } = deadline
        this.end(deadline)
        expire?.()
      }
      const [next] = this.#waiting
      this.#timer = next && this.#check(Math.max(1, next.at - now))
    }, milliseconds).unref()
  }
}
