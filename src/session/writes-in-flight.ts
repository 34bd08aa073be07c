/**
 * The writes of HTTP requests on one session that the store has not answered yet. They never wait for us, so ours wait for
 * them: a while, as a write that hangs must not stop everything.
 */
import type { Deadlines } from '../store/deadlines'

/** The two clocks of a write: how long ours wait for it, and how long it counts as being on its way. */
export interface Clocks {
  readonly timeout: number
  readonly patience: Deadlines
  readonly limits: Deadlines
}

export class WritesInFlight {
  readonly #clocks: Clocks
  readonly #writes = new Set<Promise<void>>()

  constructor(clocks: Clocks) {
    this.#clocks = clocks
  }

  /**
   * A write begins.
   * @param giveUp called when the store has not answered within `timeout`
   * @returns to be called when it has
   */
  begin(giveUp: () => void): () => void {
    const { timeout, patience, limits } = this.#clocks
    let release = () => {}
    const write = new Promise<void>((resolve) => {
      release = resolve
    })
    this.#writes.add(write)
    const wait = patience.begin(release, timeout / 10)
    const end = () => {
      patience.end(wait)
      limits.end(limit)
      this.#writes.delete(write)
      release()
    }
    const limit = limits.begin(() => {
      end()
      giveUp()
    }, timeout)
    return end
  }

  /** Resolves when those that are on their way now are answered, or have been waited for long enough. */
  async settled(): Promise<void> {
    await Promise.all(this.#writes)
  }
}
