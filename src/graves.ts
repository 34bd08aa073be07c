/**
 * The sessions that were destroyed lately, so that nobody brings them back: a handshake that comes before the store has
 * done it, or a slow HTTP request that read the session before, and saves it afterwards.
 */
import { roomOf } from './room'

/** How long one is remembered, in ms: longer than any HTTP request that may still hold the session. */
const memory = 600_000
/** How many are remembered; then the oldest go first. */
const most = 100_000

export class Graves {
  /** Room → when it was dug. A Map keeps the order. */
  readonly #since = new Map<string, number>()

  has(id: string): boolean {
    return this.#since.size > 0 && this.#since.has(roomOf(id))
  }

  bury(room: string): void {
    const now = Date.now()
    this.#since.delete(room)
    this.#since.set(room, now)
    for (const [oldest, since] of this.#since) {
      if (now - since < memory && this.#since.size <= most) break
      this.#since.delete(oldest)
    }
  }

  /** It lives after all. */
  exhume(id: string): void {
    if (this.#since.size > 0) this.#since.delete(roomOf(id))
  }
}
