/**
 * One session in the store: read and written by the rules. Rule 1, observation, is counted in `observations.ts` and
 * applied here to every answer; of rule 2, ending, here is that every answer to a write asks for the tombstone.
 */
import { notFound, type Stage } from '../errors'
import type { ExpressSession, SessionRecord } from '../store/record'
import type { SessionStore } from '../store/session-store'
import { now } from './clock'
import type { Endable, Endings } from './endings'
import type { Mark, Observations } from './observations'
import { type SessionKeeper, SessionMethods } from './session-methods'
import { type Maker, SharedSession } from './shared-session'
import type { Knowledge, Workable } from './unit-of-work'
import { WorkQueue } from './work-queue'
import type { WorkingCopy } from './working-copy'
import { type Clocks, WritesInFlight } from './writes-in-flight'

/** Where it is stored, and what else all sessions of a store share. */
export interface Place {
  readonly store: SessionStore
  readonly endings: Endings
  readonly clocks: Clocks
  /** This process wrote the session, or may have: other nodes are to be told. */
  wrote(session: Endable): void
  /** An error that nobody awaits. */
  unheard(error: unknown, stage: Stage): void
}

/** Whose session it is. */
export interface Owner extends SessionKeeper, Endable {
  readonly isOver: boolean
  /** Something begins that has to do with the session. */
  use(): void
  /** It is done. */
  unuse(): void
  /** The work that runs now is not stuck. */
  goOn(): void
}

/**
 * To be called with every answer to a write, and when it is given up: what the store holds by it, as JSON; false if the
 * store refused it, undefined if nobody knows. Resolves when what came too late was undone.
 */
type WriteAnswered = (json?: string | false) => Promise<void> | undefined

/** How often a read that was disturbed is begun anew. Then it is taken as it is, and the session stays outdated. */
const maxReads = 8

export class StoredSession implements Workable, Maker {
  readonly shared = new SharedSession()
  /** When the store was last asked, answer or not; this and the next on the monotonic clock. */
  askedAt = 0
  wroteAt = Number.NEGATIVE_INFINITY

  readonly #owner: Owner
  readonly #place: Place
  #reading: Promise<Knowledge> | undefined
  /** Of ours; made by the first, as is the next. */
  #writes: WorkQueue | undefined
  #others: WritesInFlight | undefined

  constructor(owner: Owner, place: Place) {
    this.#owner = owner
    this.#place = place
  }

  get observations(): Observations {
    return this.shared.observations
  }

  get isAtomic(): boolean {
    return this.#place.store.isAtomic
  }

  /** Whether anybody is interested in what is written: the session was read, or is about to be. */
  get isWanted(): boolean {
    return this.shared.isRead || this.#reading !== undefined
  }

  /**
   * Brings in what the store holds now. A read that is on its way will do, unless it was disturbed.
   * @throws SessionError `ERR_SESSION_NOT_FOUND` (and the session ends), `_STORE`, `_TIMEOUT`
   */
  async refresh(): Promise<void> {
    if (this.#reading) {
      await this.#reading
      if (!this.observations.isOutdated) return
    }
    await this.read()
  }

  /** What the store holds. Reads of one session do not overlap: who asks meanwhile shares the answer. @throws as `refresh` */
  read(): Promise<Knowledge> {
    if (this.#owner.isOver) return Promise.reject(notFound())
    this.#reading ??= this.#read()
    return this.#reading
  }

  async #read(): Promise<Knowledge> {
    this.#owner.use()
    try {
      for (let reads = 1; ; reads++) {
        const mark = this.observations.mark()
        this.askedAt = now()
        const found = await this.#place.store.read(this.#owner.id)
        if (this.#owner.isOver) throw notFound()
        const isBelieved = this.observations.believesRead(mark)
        const isTold = !isBelieved && this.shared.knows(found?.record, mark)
        if (!isBelieved && !isTold && reads < maxReads) continue
        if (!found) throw this.#gone()
        this.shared.adopt(found.record, this.askedAt, this)
        this.observations.isOutdated = !isBelieved && !isTold
        return { json: this.shared.copy.base, version: found.version, mark: isTold ? this.observations.mark() : mark }
      }
    } finally {
      this.#reading = undefined
      this.#owner.unuse()
    }
  }

  /** The store has no such session. One that nobody has seen may just be being created. */
  #gone(): Error {
    const reason = this.shared.isExpired ? 'expired' : 'destroyed'
    if (this.shared.isRead) this.#place.endings.gone(this.#owner, reason)
    return notFound()
  }

  /** Rules 1 and 2, for all writes of this process: one begins. */
  #beginWrite(): WriteAnswered {
    this.#owner.use()
    const mark = this.observations.beginWrite()
    const since = now()
    let isOpen = true
    return (json) => {
      const wasAlone = isOpen && this.observations.endWrite(mark)
      if (wasAlone && typeof json === 'string') this.#learn(json, mark, since)
      else this.observations.disturb()
      if (json !== false) this.#place.wrote(this.#owner)
      const undone = this.undoIfOver()
      if (isOpen) this.#owner.unuse()
      isOpen = false
      return undone
    }
  }

  #learn(json: string, mark: Mark, since: number): void {
    try {
      if (this.isWanted) this.shared.learn(json, mark, since, this)
    } catch (error) {
      this.#doubt(error)
    }
  }

  /** What handlers put into the session may be beyond JSON: then it is their events that fail, not the writer. */
  #doubt(error: unknown): void {
    this.observations.disturb()
    this.#place.unheard(error, 'refresh')
  }

  /** Rule 2, with every answer to a write. Resolves when what came too late was undone. */
  undoIfOver(): Promise<void> | undefined {
    this.wroteAt = now()
    const { endings } = this.#place
    return endings.has(this.#owner.id) ? endings.undo(this.#owner.id) : undefined
  }

  /** A request begins to write this; undefined if that is not known. @returns to be called when the store has answered */
  beginOthersWrite(json: string | undefined): (error?: unknown) => void {
    const answered = this.#beginWrite()
    this.#others ??= new WritesInFlight(this.#place.clocks)
    const end = this.#others.begin(() => void answered())
    return (error) => {
      end()
      answered(error ? undefined : json)
    }
  }

  async makeWay(): Promise<void> {
    await this.#others?.settled()
  }

  goOn(): void {
    this.#owner.goOn()
  }

  async alone<T>(work: () => Promise<T>): Promise<T> {
    this.#owner.use()
    this.#writes ??= new WorkQueue()
    return this.#writes.run(work).finally(() => this.#owner.unuse())
  }

  async replace(copy: WorkingCopy, version: unknown): Promise<boolean> {
    if (this.#owner.isOver) throw notFound()
    copy.session.touch() // As every save of express-session: stores reckon the expiry by the cookie.
    const snapshot = copy.snapshot()
    const answered = this.#beginWrite()
    const fail = () => {
      snapshot.failed()
      return answered()
    }
    const writing = this.#place.store.replace(this.#owner.id, copy.session, version, fail)
    const isWritten = await writing.catch(async (error) => {
      await fail()
      throw error
    })
    if (isWritten) snapshot.written()
    await answered(isWritten && snapshot.json)
    if (this.#owner.isOver) throw notFound()
    return isWritten
  }

  /** Extends it in the store, which can do that. @throws SessionError `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT` */
  async touch(): Promise<void> {
    await this.makeWay()
    if (this.#owner.isOver) throw notFound()
    const undo = () => this.undoIfOver()
    await this.#place.store.touch(this.#owner.id, this.shared.copy.session, undo).finally(undo)
    if (this.#owner.isOver) throw notFound()
    this.shared.settle()
  }

  /** Somebody else extended it; how far is not known without the cookie. */
  extend(cookie: SessionRecord['cookie'] | undefined): void {
    try {
      if (cookie) this.shared.extend(cookie, this)
      else this.observations.disturb()
    } catch (error) {
      this.#doubt(error)
    }
  }

  create(record: SessionRecord, keeper: SessionKeeper = notKept): ExpressSession {
    return this.#place.store.createSession(new SessionMethods(this.#owner.id, keeper), record)
  }

  createShared(record: SessionRecord): ExpressSession {
    return this.create(record, this.#owner)
  }
}

/** For sessions that are only compared with, or saved when the work on them is done. */
export const notKept: SessionKeeper = {
  save: async () => {},
  reload: async () => {},
  destroy: async () => {},
  unheard: () => {},
}
