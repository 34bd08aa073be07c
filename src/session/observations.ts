/**
 * Rule 1, observation: what an answer of the store says of a session is believed only if nothing disturbed it. Here is
 * counted what disturbs; asking the store, and what comes of it, is `live-session.ts`'s business.
 */

/** How far the counts were when a read or a write began. */
export interface Mark {
  readonly open: number
  readonly begun: number
  readonly disturbed: number
  readonly adopted: number
}

/** Before anything was counted. */
export const undisturbed: Mark = { open: 0, begun: 0, disturbed: 0, adopted: 0 }

export class Observations {
  /** Whether the store may hold something else by now than what is known; checked before every hand-out. */
  isOutdated = false

  /** Writes of this process that the store has not answered: ours, and those of HTTP requests. */
  #open = 0
  #begun = 0
  /** Writes that were answered, and news of other nodes. */
  #disturbed = 0
  /** How often what is known was renewed. */
  #adopted = 0

  /** A read begins. */
  mark(): Mark {
    return { open: this.#open, begun: this.#begun, disturbed: this.#disturbed, adopted: this.#adopted }
  }

  /** What this read saw is newer than all that is known: no write was answered since it began, and no news came. */
  believesRead(since: Mark): boolean {
    return since.disturbed === this.#disturbed
  }

  /** And nobody has begun to write since: what is built on this read overwrites nothing, unless a write was on its way before. */
  mayBuildOn(since: Mark): boolean {
    return since.begun === this.#begun && this.believesRead(since)
  }

  /** Whether what is known was renewed since. */
  hasLearntSince(since: Mark): boolean {
    return since.adopted !== this.#adopted
  }

  get isBeingWritten(): boolean {
    return this.#open > 0
  }

  beginWrite(): Mark {
    this.#begun++
    const mark = this.mark()
    this.#open++
    return mark
  }

  /** The write is answered, or given up. @returns whether it alone wrote meanwhile, and no news came */
  endWrite(since: Mark): boolean {
    const wasAlone = since.open === 0 && since.begun === this.#begun && this.believesRead(since)
    this.#open--
    this.#disturbed++
    return wasAlone
  }

  /** News of another node, or the answer of a write that was given up: nobody knows what the store holds. */
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
