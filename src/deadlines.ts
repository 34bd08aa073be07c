/** Who waits for an answer, and how long: one timer for all of them, because most answers come at once. */
export class Deadlines {
  /** What to do, and when, in ms since the process began: clocks may be set. In this order, as all wait equally long. */
  readonly #waiting = new Map<() => void, number>()
  #timer: NodeJS.Timeout | undefined

  /** Calls `expire` in so many milliseconds, unless `end` is told of it before. */
  begin(expire: () => void, milliseconds: number): void {
    this.#waiting.set(expire, performance.now() + milliseconds)
    this.#timer ??= this.#check(milliseconds)
  }

  end(expire: () => void): void {
    this.#waiting.delete(expire)
  }

  #check(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      const now = performance.now()
      for (const [expire, at] of this.#waiting) {
        if (at > now) break
        this.#waiting.delete(expire)
        expire()
      }
      const [next] = this.#waiting.values()
      this.#timer = next === undefined ? undefined : this.#check(Math.max(1, next - now))
    }, milliseconds).unref()
  }
}
