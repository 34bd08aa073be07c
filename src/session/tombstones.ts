/**
 * Tombstones of the sessions that were destroyed lately, so that nothing brings them back: neither a handshake that comes
 * before the store is done, nor a slow HTTP request that read the session before and saves it afterwards.
 */
import { BoundedMap } from '../bounded-map'
import { now } from './clock'
import { roomOf } from './room'

/** How long a tombstone stays at least, in ms: longer than any HTTP request that may still hold the session. */
const memory = 600_000
/** How many there are at most. */
const most = 200_000

interface Tombstone {
  /** How many destroys are on their way to the store. */
  pending: number
  /** Whether the store has it no longer. */
  isConfirmed: boolean
  /** Undefined where this process did not have it, or nobody is known to have destroyed it. */
  id: string | undefined
}

export class Tombstones {
  /** By room, as other nodes name sessions. */
  readonly #tombstones = new BoundedMap<string, Tombstone>(most)

  has(id: string): boolean {
    return this.#tombstones.size > 0 && this.#tombstones.get(roomOf(id)) !== undefined
  }

  /** The id of a session that was destroyed, here or by another node, where it is known. */
  idOf(room: string): string | undefined {
    return this.#tombstones.get(room)?.id
  }

  /** The store has it no longer. */
  confirm(room: string, id?: string): void {
    this.#set(room, id).isConfirmed = true
  }

  /** A destroy is on its way to the store; `destroyed` or `survived` follows. */
  destroying(id: string): void {
    this.#set(roomOf(id), id).pending++
  }

  destroyed(id: string): void {
    const tombstone = this.#tombstones.get(roomOf(id))
    if (!tombstone) return
    tombstone.pending--
    tombstone.isConfirmed = true
  }

  /**
   * The destroy failed: the session lives on, unless another destroy has succeeded, or still may.
   * @returns whether another has succeeded
   */
  survived(id: string): boolean {
    const tombstone = this.#tombstones.get(roomOf(id))
    if (tombstone && --tombstone.pending <= 0 && !tombstone.isConfirmed) this.remove(id)
    return tombstone?.isConfirmed ?? false
  }

  /** A new session has its id now. */
  remove(id: string): void {
    if (this.#tombstones.size > 0) this.#tombstones.delete(roomOf(id))
  }

  #set(room: string, id: string | undefined): Tombstone {
    if (now() - this.#tombstones.agedAt >= memory) this.#tombstones.age()
    const tombstone = this.#tombstones.get(room) ?? { pending: 0, isConfirmed: false, id }
    tombstone.id ??= id
    this.#tombstones.set(room, tombstone)
    return tombstone
  }
}
