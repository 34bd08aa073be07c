/**
 * Which calls of the store go wrong, and how, as long as the plan runs; afterwards the store is well.
 */

/** @typedef {'error' | 'error after effect' | 'silence' | 'silent effect' | 'late effect' | 'late answer'} Fault */

export class Faults {
  areOver = false
  #given
  #world

  /** @param {{ probability: number, kinds: Record<Fault, number>, only?: string[] } | undefined} given */
  constructor(given, world) {
    this.#given = given
    this.#world = world
  }

  /** @param {string} kind of the call @returns {Fault | undefined} */
  next(kind) {
    const { random } = this.#world
    if (!this.#given || this.areOver || this.#given.only?.includes(kind) === false) return undefined
    return random.chance(this.#given.probability) ? random.weighted(this.#given.kinds) : undefined
  }
}
