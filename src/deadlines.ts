/** Who waits for an answer, and how long: one timer for all of them, because most answers come at once. */
export class Deadlines {
  /** What to do, and when, in ms since 1970. A Map keeps the order. */
  readonly #waiting = new Map<() => void, number>()
  #timer: NodeJS.Timeout | undefined

  /** Calls `expire` in so many milliseconds, unless `end` is told of it before. */
  begin(expire: () => void, milliseconds: number): void {
    this.#waiting.set(expire, Date.now() + milliseconds)
    this.#timer ??= this.#check(milliseconds)
  }

  end(expire: () => void): void {
    this.#waiting.delete(expire)
  }

  #check(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      const now = Date.now()
      for (const [expire, at] of this.#waiting) {
        if (at > now) break
        this.#waiting.delete(expire)
        expire()
      }
      const [next] = this.#waiting.values()
      this.#timer = next === undefined ? undefined : this.#check(next - now)
    }, milliseconds).unref()
  }
}
