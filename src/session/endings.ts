/**
 * Rule 2, ending: a destroyed session is over in this process at once, and stays so. Whatever was written of it
 * meanwhile is destroyed again, until that succeeds.
 */
import { SessionError, type Stage } from '../errors'
import type { Deadlines } from '../store/deadlines'
import type { Answered } from '../store/observer'
import type { SessionStore } from '../store/session-store'
import { now } from './clock'
import { roomOf } from './room'
import { Tombstones } from './tombstones'

const endReasons = ['destroyed', 'regenerated', 'expired', 'revoked'] as const

/** Why a session is over. */
export type EndReason = (typeof endReasons)[number]

export function isEndReason(value: unknown): value is EndReason {
  return (endReasons as readonly unknown[]).includes(value)
}

/** @throws SessionError `ERR_SESSION_OPTIONS` */
export function checkReason(reason: unknown): EndReason {
  if (isEndReason(reason)) return reason
  throw new SessionError('ERR_SESSION_OPTIONS', `expected one of ${endReasons.join(', ')} as the reason`)
}

/** How long a write is remembered, in ms: another node may have destroyed the session before it, and its news comes later. */
export const recent = 5_000

/** A session, as its parts and `Endings` know it. */
export interface Owner {
  readonly id: string
  readonly room: string
  readonly isOver: boolean
  /** When this process wrote it last, on the monotonic clock. */
  wroteAt: number
  ended: EndReason | undefined
  closeHolders(): void
  /** Keeps the object until `unuse`. */
  use(): void
  unuse(): void
}

/** The registry, as its parts and its sessions know it. */
export interface Home<Live extends Owner = Owner> {
  readonly store: SessionStore
  readonly endings: Endings
  readonly sessions: {
    /** Milliseconds for which a read is trusted. */
    readonly freshFor: number
    get(id: string): Live | undefined
    inRoom(room: string): Live | undefined
    /** The current object of this session id: this one, if there is no other. */
    attach(live: Live): Live
    /** No connection has it any more. */
    left(live: Live): void
    /** Nobody uses it any more. */
    idle(live: Live): void
    drop(live: Live): void
    /** Makes sure that `retry` is called before long. */
    startClock(): void
  }
  /** Told what this process ended. */
  readonly peers: { ended(room: string, reason: EndReason): void }
  /** How long writes of ours wait for those of requests. */
  readonly patience: Deadlines
  at(id: string): Live
  /** This process wrote the session, or may have: tells other nodes. */
  wrote(live: Live): void
  /** It was read: what is known of it may have changed. */
  learnt(live: Live): void
  /** It is over, and its connections are about to be closed. */
  ended(live: Live, reason: EndReason): void
  /** An error that nobody awaits. */
  unheard(error: unknown, stage: Stage): void
}

export class Endings {
  readonly #home: Home
  readonly #tombstones = new Tombstones()
  /** Sessions whose second destroy failed; it is tried again. */
  readonly #unfinished = new Set<string>()

  constructor(home: Home) {
    this.#home = home
  }

  /** Whether it was destroyed. */
  has(id: string): boolean {
    return this.#tombstones.has(id)
  }

  /**
   * This process begins to destroy it: from now on nobody can write or open it.
   * @param responded resolves when the HTTP response is out: only then are connections closed and other nodes told
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
      whenDone(responded, () => this.#home.peers.ended(roomOf(id), reason))
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

  /**
   * The store no longer has it. A request may still extend an expired session, but never a destroyed one. Whether somebody
   * destroyed it is not known: the store may have missed it, so what others write is not destroyed.
   */
  gone(live: Owner, reason: EndReason): void {
    if (reason !== 'expired') this.#tombstones.confirm(live.room)
    this.#close(live, reason)
  }

  /** Another node ended it. What this process wrote just before may have reached the store after that: it is undone. */
  heard(room: string, reason: EndReason): void {
    const live = this.#home.sessions.inRoom(room)
    this.#tombstones.confirm(room, live?.id)
    if (!live) return
    this.#close(live, reason)
    if (now() - live.wroteAt < recent) this.undo(live.id)
  }

  /** Another node wrote it, and may not have heard that it was destroyed: a process with an `emitter` hears nothing. */
  heardChanged(room: string): void {
    const id = this.#tombstones.idOf(room)
    if (id !== undefined) this.undo(id)
  }

  /** Something was, or may have been, written after the destroy: destroys it again. Never rejects. */
  async undo(id: string): Promise<void> {
    try {
      await this.#home.store.destroy(id)
    } catch (error) {
      this.#unfinished.add(id)
      this.#home.sessions.startClock()
      this.#home.unheard(error, 'save')
    }
  }

  /** Tries again what failed, as long as the ending is remembered. @returns whether there was anything to do */
  retry(): boolean {
    const failed = [...this.#unfinished]
    this.#unfinished.clear()
    for (const id of failed) if (this.has(id)) this.undo(id)
    return failed.length > 0
  }

  /** A new session has its id now. */
  revived(id: string): void {
    this.#tombstones.remove(id)
    this.#unfinished.delete(id)
  }

  #close(live: Owner, reason: EndReason, responded?: Promise<unknown>): void {
    live.ended = reason
    this.#home.sessions.drop(live)
    this.#home.ended(live, reason)
    whenDone(responded, () => live.closeHolders())
  }
}

/** Runs `work` when `done` has resolved, or at once without it. */
function whenDone(done: Promise<unknown> | undefined, work: () => void): void {
  if (done) done.then(work)
  else work()
}
