/**
 * The sessions that were destroyed lately, so that nobody brings them back: a handshake that comes before the store has
 * done it, or a slow HTTP request that read the session before, and saves it afterwards.
 */
import { roomOf } from './room'

/** How long one is remembered, in ms: longer than any HTTP request that may still hold the session. */
const memory = 600_000
/** How many are remembered; then the oldest go first. */
const most = 100_000

interface Grave {
  /** When it was dug, or last found. */
  since: number
  /** How many wait for the store to destroy it. */
  pending: number
  /** Whether the store has it no longer. */
  isEmpty: boolean
}

export class Graves {
  /** By room. A Map keeps the order. */
  readonly #graves = new Map<string, Grave>()

  has(id: string): boolean {
    return this.#graves.size > 0 && this.#graves.has(roomOf(id))
  }

  /** The store has it no longer. */
  bury(room: string): void {
    this.#dig(room).isEmpty = true
  }

  /** The store is about to destroy it; to be followed by `destroyed` or `survived`. */
  destroying(id: string): void {
    this.#dig(roomOf(id)).pending++
  }

  destroyed(id: string): void {
    const grave = this.#graves.get(roomOf(id))
    if (!grave) return
    grave.pending--
    grave.isEmpty = true
  }

  /** The store could not destroy it: it lives after all, unless somebody else has succeeded, or still may. */
  survived(id: string): void {
    const grave = this.#graves.get(roomOf(id))
    if (grave && --grave.pending <= 0 && !grave.isEmpty) this.exhume(id)
  }

  /** There is a new one under its id. */
  exhume(id: string): void {
    if (this.#graves.size > 0) this.#graves.delete(roomOf(id))
  }

  #dig(room: string): Grave {
    const since = Date.now()
    const grave = { pending: 0, isEmpty: false, ...this.#graves.get(room), since }
    this.#graves.delete(room)
    this.#graves.set(room, grave)
    for (const [oldest, other] of this.#graves) {
      if (since - other.since < memory && this.#graves.size <= most) break
      this.#graves.delete(oldest)
    }
    return grave
  }
}
