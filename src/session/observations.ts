/**
 * Rule 1, observation: an answer of the store is believed only if nothing disturbed it. This counts what disturbs;
 * `stored-session.ts` asks the store.
 */

/** The counts when a read or a write began. */
export interface Mark {
  readonly begun: number
  readonly disturbed: number
  readonly adopted: number
}

/** Before anything was counted. */
export const undisturbed: Mark = { begun: 0, disturbed: 0, adopted: 0 }

export class Observations {
  /** Whether the store may hold something else than what is known. Checked before every hand-out. */
  isOutdated = false

  /** Writes of this process that the store has not answered: ours, and those of HTTP requests. */
  #open = 0
  #begun = 0
  /** Writes that were answered, and news of other nodes. */
  #disturbed = 0
  /** How often what is known was replaced. */
  #adopted = 0

  /** A read begins. */
  mark(): Mark {
    return { begun: this.#begun, disturbed: this.#disturbed, adopted: this.#adopted }
  }

  /** What this read saw is newer than all that is known: no write was answered since it began, and no news came. */
  believesRead(since: Mark): boolean {
    return since.disturbed === this.#disturbed
  }

  /** And no write has begun since. What is built on this read then overwrites nothing, unless a write was on its way before. */
  mayBuildOn(since: Mark): boolean {
    return since.begun === this.#begun && this.believesRead(since)
  }

  /** Whether what is known was replaced since. */
  hasLearntSince(since: Mark): boolean {
    return since.adopted !== this.#adopted
  }

  get isBeingWritten(): boolean {
    return this.#open > 0
  }

  beginWrite(): Mark {
    this.#begun++
    this.#open++
    return this.mark()
  }

  /** The write was answered or given up. @returns whether there was no other write meanwhile, and no news */
  endWrite(since: Mark): boolean {
    const wasAlone = this.#open === 1 && this.believesRead(since) // Another one would be open still, or have been answered since.
    this.#open--
    this.#disturbed++
    return wasAlone
  }

  /** News of another node, or a late answer of a write that was given up: nobody knows what the store holds. */
  disturb(): void {
    this.#disturbed++
    this.isOutdated = true
  }

  /** What is known is what the store holds. */
  adopt(): void {
    this.#adopted++
    this.isOutdated = false
  }
}
