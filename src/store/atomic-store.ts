/**
 * Compare-and-set: a write that happens only if the record is still the one that was read. What a store implements, or
 * has implemented for it (`compare-and-set.ts`), so that work on a session is atomic across processes.
 */
import type { SessionData } from 'express-session'

/** A record, and what tells whether it was written since. */
export interface Versioned {
  record: unknown
  /** Opaque; goes back to `setVersioned` as it came. */
  version: unknown
}

/** What a store implements to be atomic across processes. Both methods reject when the store fails. */
export interface AtomicStore {
  /** The record now; undefined for an unknown or expired id, as with `get`. */
  getVersioned(id: string): Promise<Versioned | undefined>
  /**
   * As `set`, but only if the record still has this version. MUST be one atomic step in the store.
   * @returns whether it was written; false if the record is another by now, or gone
   */
  setVersioned(id: string, session: SessionData, version: unknown): Promise<boolean>
}
