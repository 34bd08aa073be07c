/**
 * One session, shared by everything in this process that uses it: always the same object, kept fresh, saved, updated,
 * touched, and ended. `registry.ts` keeps one per id and orders the work on it.
 */
import { roomOf } from './room'
import { type ExpressSession, expiryOf, type SessionRecord } from './store'
import type { SessionKeeper } from './store-face'
import { type EndReason, type Home, maxAttempts, notFound, overtaken, pause, StoredSession } from './stored-session'
import { WorkingCopy } from './working-copy'

/** Changes a session and may return something; may be async, and may run again on a fresh session. */
export type Change<T> = (session: ExpressSession) => T | Promise<T>

/** Something that uses a session and has to close when it ends: a connection. */
export interface Holder {
  close(): void
}

const nobody: Holder[] = []

/** A touch is written at most this often, in ms, and at most ten times per maxAge. */
const touchInterval = 60_000

export class LiveSession extends StoredSession implements SessionKeeper {
  /** When what the store holds was last learnt, in ms since 1970. */
  readAt = Date.now()
  /** When the store was last asked, answer or not. */
  askedAt = this.readAt
  /** Whether it was written since, and what is not known. */
  isOutdated = false
  /** Set once, when the session is over. */
  ended: EndReason | undefined
  /** Who is closed when it ends. */
  get holders(): readonly Holder[] {
    return this.#holders
  }

  readonly #copy: WorkingCopy
  #holders = nobody
  #refreshing: Promise<void> | undefined
  /** The save that waits for its turn; it will write all that was changed by then. */
  #nextSave: Promise<void> | undefined
  /** Counts what came in, so that a read that was overtaken is dropped. */
  #version = 0
  #touchedAt: number
  #touchInterval = touchInterval
  /** When to ask whether it is over, in ms since 1970. */
  #expiresAt = Number.POSITIVE_INFINITY
  #room: string | undefined

  constructor(id: string, record: SessionRecord, home: Home) {
    super(id, home)
    this.#copy = new WorkingCopy(this.create(record, this))
    this.#reckon(this.session)
    this.#touchedAt = (expiryOf(this.session.cookie) ?? this.readAt) - (this.session.cookie.originalMaxAge ?? 0)
  }

  /** Most sessions have one holder: an array literal of one takes a third of the memory of a pushed array or a Set. */
  addHolder(holder: Holder): void {
    if (this.#holders.length === 0) this.#holders = [holder]
    else this.#holders.push(holder)
  }

  removeHolder(holder: Holder): void {
    this.#holders.splice(this.#holders.indexOf(holder), 1)
  }

  /** The one object that everybody holds. */
  get session(): ExpressSession {
    return this.#copy.session
  }

  /** The room of its sockets. */
  get room(): string {
    this.#room ??= roomOf(this.id)
    return this.#room
  }

  /** Somebody wrote it where we could not see: what is known is stale, and maybe what a read brings that is on its way. */
  outdate(): void {
    this.isOutdated = true
  }

  get isExpired(): boolean {
    return this.#expiresAt <= Date.now()
  }

  /** Whether the store should be asked before this session is relied on; `freshFor` in ms. */
  isStale(freshFor: number): boolean {
    const now = Date.now()
    return this.isOutdated || this.#refreshing !== undefined || now - this.readAt >= freshFor || this.#expiresAt <= now
  }

  /**
   * Brings in what the store holds now; who asks meanwhile shares the read, unless it began before what was heard since.
   * @throws SessionError `ERR_SESSION_NOT_FOUND` (and the session ends), `_STORE`, `_TIMEOUT`
   */
  refresh(): Promise<void> {
    const mayBeTooEarly = this.isOutdated && this.#refreshing !== undefined
    const read = this.#shareRead()
    return mayBeTooEarly ? read.then(() => (this.isOutdated || this.#refreshing ? this.#shareRead() : undefined)) : read
  }

  #shareRead(): Promise<void> {
    this.#refreshing ??= this.home
      .inTurn(this.id, () => this.#refresh())
      .finally(() => {
        this.#refreshing = undefined
      })
    return this.#refreshing
  }

  /** Takes over a newer record, whoever read or wrote it. */
  receive(record: SessionRecord): void {
    this.#version++
    this.#reckon(record)
    this.rebase(this.#copy, record)
    this.readAt = Date.now()
  }

  /** Somebody extended it. What else the store holds was not learnt by that. */
  extend(cookie: SessionRecord['cookie']): void {
    this.#reckon({ cookie })
    this.rebase(this.#copy, { ...this.#copy.base, cookie })
  }

  /**
   * Writes what was changed here. Of saves that wait for their turn one writes for all.
   * @throws SessionError `ERR_SESSION_NOT_FOUND`, `_CONFLICT`, `_STORE`, `_TIMEOUT`
   */
  save(): Promise<void> {
    if (this.#nextSave) return this.#nextSave
    let hasBegun = false
    const save = this.home.exclusive(this.id, async () => {
      hasBegun = true
      this.#nextSave = undefined
      if (this.isOver) throw notFound()
      if (this.#copy.isChanged) await this.write(this.#copy)
    })
    if (!hasBegun) this.#nextSave = save
    save.catch(() => {
      if (this.#nextSave === save) this.#nextSave = undefined // It was given up before its turn came.
    })
    return save
  }

  /**
   * Atomic read–modify–write. `change` works on a draft, so a failure leaves nothing behind.
   * @throws SessionError `ERR_SESSION_NOT_FOUND`, `_CONFLICT`, `_STORE`, `_TIMEOUT`, and whatever `change` throws
   */
  update<T>(change: Change<T>): Promise<T> {
    return this.home.exclusive(this.id, async () => {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const reading = await this.readVersioned()
        const draft = new WorkingCopy(this.create(reading.record, this.#draftKeeper()))
        draft.apply(this.#copy)
        const result = await change(draft.session)
        if (!draft.isChanged || (await this.writeUnlessOvertaken(draft, reading, attempt))) return result
        await pause(attempt)
      }
      throw overtaken()
    })
  }

  /** Whether a client event now is to be written as a touch. */
  get wantsTouch(): boolean {
    return Date.now() - this.#touchedAt >= this.#touchInterval
  }

  /** Extends the session by its maxAge, in the store. @throws SessionError `ERR_SESSION_NOT_FOUND`, `_CONFLICT`, `_STORE`, `_TIMEOUT` */
  touch(): Promise<void> {
    this.#touchedAt = Date.now()
    return this.home.exclusive(this.id, async () => {
      if (this.isOver) throw notFound()
      this.session.touch()
      if (this.home.store.canTouch) await this.home.inTurn(this.id, () => this.#touch())
      else await this.write(this.#copy)
    })
  }

  unheard(error: unknown): void {
    this.home.unheard(error, 'save')
  }

  protected override get isOver(): boolean {
    return this.ended !== undefined || super.isOver
  }

  protected override goneBecause(): EndReason {
    return this.isExpired ? 'expired' : 'destroyed'
  }

  async #refresh(): Promise<void> {
    if (this.ended) throw notFound()
    this.askedAt = Date.now()
    const version = this.#version
    const wasOutdated = this.isOutdated
    this.isOutdated = false
    const record = await this.read().catch((error) => {
      this.isOutdated ||= wasOutdated
      throw error
    })
    if (version === this.#version) this.receive(record)
  }

  async #touch(): Promise<void> {
    if (this.isOver) throw notFound()
    await this.home.store.touch(this.id, this.session)
    await this.assertStillThere()
    this.#copy.settle('cookie')
    this.#reckon(this.session)
  }

  /**
   * By the cookie that came from the store, not by the one that handlers may change. One that lives although its cookie
   * is over was touched by another process, by a store that then leaves the cookie as it is: ask again before long.
   */
  #reckon({ cookie }: Pick<SessionRecord, 'cookie'>): void {
    const tenth = (cookie.originalMaxAge ?? Number.POSITIVE_INFINITY) / 10
    this.#touchInterval = Math.min(touchInterval, tenth)
    const expires = expiryOf(cookie) ?? Number.POSITIVE_INFINITY
    this.#expiresAt = expires > Date.now() ? expires : Date.now() + Math.max(500, this.#touchInterval)
  }

  /** What `save()` and the like mean on the session that `update` hands out: it is saved when `change` is done. */
  #draftKeeper(): SessionKeeper {
    return {
      save: async () => {},
      refresh: async () => {},
      destroy: () => this.destroy(),
      unheard: (error) => this.unheard(error),
    }
  }
}
