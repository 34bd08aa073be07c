/**
 * The sessions that were destroyed lately, so that nobody brings them back: a handshake that comes before the store has
 * done it, or a slow HTTP request that read the session before, and saves it afterwards.
 */
import { BoundedMap } from '../bounded-map'
import { now } from './clock'
import { roomOf } from './room'

/** How long one is remembered at least, in ms: longer than any HTTP request that may still hold the session. */
const memory = 600_000
/** How many are remembered. */
const most = 200_000

interface Tombstone {
  /** How many wait for the store to destroy it. */
  pending: number
  /** Whether the store has it no longer. */
  isConfirmed: boolean
}

export class Tombstones {
  /** By room: other nodes name sessions so. */
  readonly #tombstones = new BoundedMap<string, Tombstone>(most)

  has(id: string): boolean {
    return this.#tombstones.size > 0 && this.#tombstones.get(roomOf(id)) !== undefined
  }

  /** The store has it no longer. */
  confirm(room: string): void {
    this.#set(room).isConfirmed = true
  }

  /** The store is about to destroy it; to be followed by `destroyed` or `survived`. */
  destroying(id: string): void {
    this.#set(roomOf(id)).pending++
  }

  destroyed(id: string): void {
    const tombstone = this.#tombstones.get(roomOf(id))
    if (!tombstone) return
    tombstone.pending--
    tombstone.isConfirmed = true
  }

  /**
   * The store could not destroy it: it lives after all, unless somebody else has succeeded, or still may.
   * @returns whether somebody has, so that it is over all the same
   */
  survived(id: string): boolean {
    const tombstone = this.#tombstones.get(roomOf(id))
    if (tombstone && --tombstone.pending <= 0 && !tombstone.isConfirmed) this.remove(id)
    return tombstone?.isConfirmed ?? false
  }

  /** There is a new session under its id. */
  remove(id: string): void {
    if (this.#tombstones.size > 0) this.#tombstones.delete(roomOf(id))
  }

  #set(room: string): Tombstone {
    if (now() - this.#tombstones.agedAt >= memory) this.#tombstones.age()
    const tombstone = this.#tombstones.get(room) ?? { pending: 0, isConfirmed: false }
    this.#tombstones.set(room, tombstone)
    return tombstone
  }
}
