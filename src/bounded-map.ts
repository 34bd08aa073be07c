/**
 * A map of at most so many entries, of which the oldest are forgotten; in two generations, so that nobody has to look for
 * them: V8 finds the first entry of a Map by passing over all that were deleted before it.
 */
export class BoundedMap<Key, Value> {
  /** When some were forgotten last, in ms since the process began. */
  agedAt = performance.now()

  readonly #most: number
  readonly #forgotten: ((key: Key) => void) | undefined
  #latest = new Map<Key, Value>()
  #older = new Map<Key, Value>()

  /**
   * @param most how many entries there may be; half of them are never forgotten
   * @param forgotten told each entry that is forgotten
   */
  constructor(most: number, forgotten?: (key: Key) => void) {
    this.#most = most
    this.#forgotten = forgotten
  }

  get size(): number {
    return this.#latest.size + this.#older.size
  }

  get(key: Key): Value | undefined {
    return this.#latest.get(key) ?? this.#older.get(key)
  }

  /** It is the newest entry from now on. */
  set(key: Key, value: Value): void {
    this.#older.delete(key)
    this.#latest.set(key, value)
    if (this.#latest.size * 2 >= this.#most) this.age()
  }

  delete(key: Key): void {
    this.#latest.delete(key)
    this.#older.delete(key)
  }

  /** Forgets all that was not set since the last time. */
  age(): void {
    const forgotten = this.#older
    this.#older = this.#latest
    this.#latest = new Map()
    this.agedAt = performance.now()
    if (this.#forgotten) for (const key of forgotten.keys()) this.#forgotten(key)
  }
}
