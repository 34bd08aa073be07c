/** A MemoryStore that can compare and set, and counts each call to it as a round trip; the version is the record's text. */

import type { SessionData } from 'express-session'
import type { AtomicStore, Versioned } from 'handshake-session'
import { CountingStore } from './counting-store.js'

export class VersionedStore extends CountingStore implements AtomicStore {
  /** What was asked of the compare-and-set; `refused` are the writes that did not happen. */
  readonly trips = { reads: 0, writes: 0, refused: 0 }
  /** Called before each write has its effect, which waits for it. */
  beforeWrite: () => unknown = () => {}
  /** Called when a write has had its effect, before it is answered. */
  afterWrite: () => unknown = () => {}

  async getVersioned(id: string): Promise<Versioned | undefined> {
    this.trips.reads++
    const text = this.#texts[id]
    return text === undefined ? undefined : { record: JSON.parse(text), version: text }
  }

  async setVersioned(id: string, session: SessionData, version: unknown): Promise<boolean> {
    this.trips.writes++
    const text = JSON.stringify(session)
    await this.beforeWrite()
    const isWritten = this.#texts[id] === version
    if (isWritten) this.#texts[id] = text
    else this.trips.refused++
    await this.afterWrite()
    return isWritten
  }

  versionOf(session: SessionData): unknown {
    return JSON.stringify(session)
  }

  /** Forgets what was counted so far. */
  override reset(): void {
    super.reset()
    Object.assign(this.trips, { reads: 0, writes: 0, refused: 0 })
  }

  get #texts(): Record<string, string> {
    return (this as unknown as { sessions: Record<string, string> }).sessions
  }
}
