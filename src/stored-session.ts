/**
 * One session as the store holds it: read it, write a working copy onto it, end it. A write carries over only what was
 * changed in the copy, onto what the store holds then, and only if it still exists. Order is the lane's business
 * (`registry.ts`); sharing is `live-session.ts`'s.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SessionError } from './errors'
import type { Stage } from './options'
import type { ExpressSession, Reading, SessionRecord, SessionStore } from './store'
import { type SessionKeeper, StoreFace } from './store-face'
import type { Turn } from './turns'
import type { WorkingCopy } from './working-copy'

export const endReasons = ['destroyed', 'regenerated', 'expired', 'revoked'] as const

/** Why a session is over. */
export type EndReason = (typeof endReasons)[number]

/** Where sessions live: their store, the order of work on them, and who is to be told. */
export interface Home {
  readonly store: SessionStore
  /** Runs `work` after all other work on this id, failed or not. */
  exclusive<T>(id: string, work: () => Promise<T>): Promise<T>
  /** Runs `work`, which asks the store, when nobody else of us does. */
  inTurn<T>(id: string, work: (turn: Turn) => Promise<T>): Promise<T>
  /** In one's turn: waits for the writes of others that are on their way. */
  makeWay(id: string): Promise<void>
  /** Whether the session was destroyed. */
  isOver(id: string): boolean
  /** The session was written; `json` is what the store now holds, or undefined if somebody else wrote it meanwhile. */
  wrote(id: string, json: string | undefined): void
  /** The session is being destroyed: from now on it is over, and nobody may write or open it again. */
  end(id: string, reason: EndReason): void
  /** The store has destroyed it. */
  ended(id: string, reason: EndReason): void
  /** The store no longer has the session. */
  gone(id: string, reason: EndReason): void
  /** The store could not destroy it, so it lives on. */
  survived(id: string): void
  /** An error that nobody awaits. */
  unheard(error: unknown, stage: Stage): void
}

/** How often work starts over before it says that the session is too busy. */
export const maxAttempts = 100
/** How often it starts over because a request writes meanwhile, which cannot be asked to wait. Then it writes all the same. */
const politeAttempts = 8

export class StoredSession {
  readonly id: string
  protected readonly home: Home

  constructor(id: string, home: Home) {
    this.id = id
    this.home = home
  }

  /** @throws SessionError `ERR_SESSION_NOT_FOUND` (and the session ends), `_STORE`, `_TIMEOUT` */
  async read(): Promise<SessionRecord> {
    return (await this.readVersioned()).record
  }

  /** As `read`, with what `writeUnlessOvertaken` wants to know. */
  async readVersioned(): Promise<Reading> {
    const reading = await this.home.store.read(this.id)
    if (reading) return reading
    this.home.gone(this.id, this.goneBecause())
    throw notFound()
  }

  /**
   * Writes what was changed in the copy. A key that somebody else changed meanwhile takes our value.
   * @throws SessionError `ERR_SESSION_NOT_FOUND`, `_CONFLICT`, `_STORE`, `_TIMEOUT`
   */
  async write(copy: WorkingCopy): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const isWritten = await this.home.inTurn(this.id, async (turn) => {
        await this.home.makeWay(this.id)
        const { record, version } = await this.readVersioned()
        this.rebase(copy, record)
        const mustWait = turn.isOvertaken && attempt < politeAttempts
        return !mustWait && this.#replace(copy, version, turn)
      })
      if (isWritten) return
      await pause(attempt)
    }
    throw overtaken()
  }

  /**
   * As `write`, unless somebody was quicker.
   * @param since what the copy was made of
   * @param attempt how often that happened
   * @returns false if the session was written since, or a key that we changed: then nothing was written
   * @throws SessionError `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT`
   */
  writeUnlessOvertaken(copy: WorkingCopy, since: Reading, attempt: number): Promise<boolean> {
    return this.home.inTurn(this.id, async (turn) => {
      if (this.home.store.isAtomic) return this.#replace(copy, since.version, turn)
      await this.home.makeWay(this.id)
      const { record, version } = await this.readVersioned()
      const mustWait = turn.isOvertaken && attempt < politeAttempts
      return this.rebase(copy, record).length === 0 && !mustWait && this.#replace(copy, version, turn)
    })
  }

  async #replace(copy: WorkingCopy, version: unknown, turn: Turn): Promise<boolean> {
    if (this.isOver) throw notFound()
    copy.session.touch() // As every save of express-session: stores reckon the expiry by the cookie.
    const { json, written } = copy.snapshot()
    if (!(await this.home.store.replace(this.id, copy.session, version))) return false
    await this.assertStillThere()
    written()
    this.home.wrote(this.id, turn.isOvertaken ? undefined : json)
    return true
  }

  /** Destroys the session in the store. */
  async destroy(reason: EndReason = 'destroyed'): Promise<void> {
    this.home.end(this.id, reason)
    await this.home.store.destroy(this.id).catch((error) => {
      this.home.survived(this.id)
      throw error
    })
    this.home.ended(this.id, reason)
  }

  /** A `Session` made of a record, whose `save()` and the like `keeper` does. */
  create(record: SessionRecord, keeper: SessionKeeper = detached): ExpressSession {
    return this.home.store.createSession(new StoreFace(this.id, keeper), record)
  }

  /** If the session ended while our write was on its way, the write may have come last: undo it. */
  protected async assertStillThere(): Promise<void> {
    if (this.home.isOver(this.id)) await this.home.store.destroy(this.id)
    if (this.isOver) throw notFound()
  }

  /** Brings a copy up to this record. @returns as `WorkingCopy#rebase` */
  protected rebase(copy: WorkingCopy, record: SessionRecord): string[] {
    return copy.isBasedOn(record) ? [] : copy.rebase(this.create(record))
  }

  protected get isOver(): boolean {
    return this.home.isOver(this.id)
  }

  protected goneBecause(): EndReason {
    return 'destroyed'
  }
}

/** For sessions that are only compared with, never handed out. */
const detached: SessionKeeper = {
  save: async () => {},
  refresh: async () => {},
  destroy: async () => {},
  unheard: () => {},
}

/** Lets others finish: a random time, so that rivals do not meet again, and longer from time to time. */
export function pause(attempt: number): Promise<void> {
  return sleep(Math.random() * Math.min(2 ** attempt, 64))
}

/** After so many attempts in a row, in which others were quicker. */
export function overtaken(): SessionError {
  return new SessionError('ERR_SESSION_CONFLICT', `overtaken by other writers ${maxAttempts} times in a row`)
}

export function notFound(): SessionError {
  return new SessionError('ERR_SESSION_NOT_FOUND', 'the session is no longer in the store: it was destroyed or expired')
}
