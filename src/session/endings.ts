/**
 * Rule 2, ending: a session that was destroyed is over here at once, for everybody, and stays so. Whatever was written
 * of it meanwhile is destroyed again, until that succeeds.
 */
import type { Stage } from '../errors'
import type { Answered } from '../store/observer'
import type { SessionStore } from '../store/session-store'
import { now } from './clock'
import { roomOf } from './room'
import { Tombstones } from './tombstones'

export const endReasons = ['destroyed', 'regenerated', 'expired', 'revoked'] as const

/** Why a session is over. */
export type EndReason = (typeof endReasons)[number]

/** How long a write is remembered, in ms: it may have come after a destroy of another node, whose news comes later. */
export const recent = 5_000

/** What is to be known of a session to end it. */
export interface Endable {
  readonly id: string
  readonly room: string
  /** When this process wrote it last, on the monotonic clock. */
  readonly wroteAt: number
  ended: EndReason | undefined
  closeHolders(): void
}

/** Where the sessions are, and who is told. */
interface Surroundings {
  readonly store: SessionStore
  readonly sessions: {
    get(id: string): Endable | undefined
    inRoom(room: string): Endable | undefined
    drop(session: Endable): void
    /** `retry` is to be called before long. */
    startClock(): void
  }
  /** This session is over, and its connections are about to be closed. */
  ended(session: Endable, reason: EndReason): void
  /** This process ended it: other nodes are to be told. */
  tellEnded(room: string, reason: EndReason): void
  unheard(error: unknown, stage: Stage): void
}

export class Endings {
  readonly #home: Surroundings
  readonly #tombstones = new Tombstones()
  /** Those that could not be destroyed again yet. */
  readonly #unfinished = new Set<string>()

  constructor(home: Surroundings) {
    this.#home = home
  }

  /** Whether it was destroyed. */
  has(id: string): boolean {
    return this.#tombstones.has(id)
  }

  /**
   * Somebody of this process destroys it: from now on nobody may write or open it again.
   * @param responded when the HTTP response is out: connections are closed, and other nodes told, not before
   */
  begin(id: string, reason: EndReason, responded?: Promise<unknown>): Answered {
    this.#tombstones.destroying(id)
    const live = this.#home.sessions.get(id)
    if (live) this.#close(live, reason, responded)
    return (error) => {
      if (error) {
        if (this.#tombstones.survived(id)) this.undo(id)
        return
      }
      this.#tombstones.destroyed(id)
      whenDone(responded, () => this.#home.tellEnded(roomOf(id), reason))
    }
  }

  /** Destroys it in the store. @throws SessionError `ERR_SESSION_STORE`, `_TIMEOUT`; its connections are closed all the same */
  async destroy(id: string, reason: EndReason = 'destroyed'): Promise<void> {
    const answered = this.begin(id, reason)
    const late = (error: unknown) => error || this.begin(id, reason)()
    await this.#home.store.destroy(id, late).catch((error) => {
      answered(error)
      throw error
    })
    answered()
  }

  /** The store no longer has it. A request may still extend one that expired, but not one that was destroyed. */
  gone(live: Endable, reason: EndReason): void {
    if (reason !== 'expired') this.#tombstones.confirm(live.room)
    this.#close(live, reason)
  }

  /** Another node ended it; what this process wrote just before may have come after that. */
  heard(room: string, reason: EndReason): void {
    this.#tombstones.confirm(room)
    const live = this.#home.sessions.inRoom(room)
    if (!live) return
    this.#close(live, reason)
    if (now() - live.wroteAt < recent) this.undo(live.id)
  }

  /** Something was written after it was destroyed, or may have been. Resolves when that was tried to undo. */
  async undo(id: string): Promise<void> {
    try {
      await this.#home.store.destroy(id)
    } catch (error) {
      this.#unfinished.add(id)
      this.#home.sessions.startClock()
      this.#home.unheard(error, 'save')
    }
  }

  /** Tries again what failed, for as long as the ending is remembered. @returns whether there was something */
  retry(): boolean {
    const failed = [...this.#unfinished]
    this.#unfinished.clear()
    for (const id of failed) if (this.has(id)) this.undo(id)
    return failed.length > 0
  }

  /** There is a new session under its id. */
  revived(id: string): void {
    this.#tombstones.remove(id)
    this.#unfinished.delete(id)
  }

  #close(live: Endable, reason: EndReason, responded?: Promise<unknown>): void {
    live.ended = reason
    this.#home.sessions.drop(live)
    this.#home.ended(live, reason)
    whenDone(responded, () => live.closeHolders())
  }
}

/** When that is done, or at once. */
function whenDone(done: Promise<unknown> | undefined, work: () => void): void {
  if (done) done.then(work)
  else work()
}
