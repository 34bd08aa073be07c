/**
 * Random numbers by seed: the only source of chance in a history. `Math.random` and `crypto` draw from here, too
 * (`clock.mjs`), so that a seed says everything.
 */

export class Random {
  #state

  /** @param {string | number} seed */
  constructor(seed) {
    this.#state = hash(String(seed))
  }

  /** From 0 up to 1. Mulberry32. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  /** An integer from 0 up to, and without, `end`. @param {number} end */
  below(end) {
    return Math.floor(this.next() * end)
  }

  /** @param {number} probability */
  chance(probability) {
    return this.next() < probability
  }

  /** @template T @param {readonly T[]} items @returns {T} */
  pick(items) {
    return items[this.below(items.length)]
  }

  /** One of the keys, each as often as its weight says. @param {Record<string, number>} weights @returns {string} */
  weighted(weights) {
    const entries = Object.entries(weights)
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [key, weight] of entries) {
      left -= weight
      if (left < 0) return key
    }
    return entries[0][0]
  }
}

/** FNV-1a, 32 bits. @param {string} text */
function hash(text) {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  return value >>> 0
}
