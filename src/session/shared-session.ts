/**
 * The `Session` object that all sockets of a session share, and how well it is known: what the store answered is
 * taken over here, or doubted. No I/O; `stored-session.ts` asks the store.
 */
import { notFound } from '../errors'
import type { ExpressSession, SessionRecord } from '../store/record'
import type { SessionStore } from '../store/session-store'
import { now } from './clock'
import { Expiry } from './expiry'
import { type Mark, Observations, undisturbed } from './observations'
import { type SessionKeeper, SessionMethods } from './session-methods'
import { WorkingCopy } from './working-copy'

/** What a write makes of the record: its JSON, and its version where that is known. */
export interface Written {
  readonly json: string
  readonly version: unknown
}

export class SharedSession {
  readonly #id: string
  readonly #store: SessionStore
  readonly #keeper: SessionKeeper
  #observations: Observations | undefined
  #copy: WorkingCopy | undefined
  #expiry: Expiry | undefined
  /** When that was asked for, by which it is known. */
  #knownSince = 0
  #version: unknown

  constructor(id: string, store: SessionStore, keeper: SessionKeeper) {
    this.#id = id
    this.#store = store
    this.#keeper = keeper
  }

  /** Made by the first who disturbs: most sessions are only read. */
  get observations(): Observations {
    this.#observations ??= new Observations()
    return this.#observations
  }

  /** How far the counts are. */
  get mark(): Mark {
    return this.#observations?.mark() ?? undisturbed
  }

  /** What this read saw is newer than all that is known. */
  believesRead(since: Mark): boolean {
    return this.#observations?.believesRead(since) ?? true
  }

  get isOutdated(): boolean {
    return this.#observations?.isOutdated ?? false
  }

  /** Whether it was ever read. */
  get isRead(): boolean {
    return this.#copy !== undefined
  }

  /** The one object that everybody has who uses this session, and what the store holds of it. */
  get copy(): WorkingCopy {
    if (!this.#copy) throw notFound()
    return this.#copy
  }

  /** Whether it may be handed out: nothing disturbed what is known, and that was asked for within `freshFor` ms. */
  isCurrent(freshFor: number): boolean {
    return this.isWithin(freshFor) && !this.isOutdated && !this.isExpired
  }

  /** Whether what is known was asked for within so many milliseconds. */
  isWithin(milliseconds: number): boolean {
    return this.#copy !== undefined && now() - this.#knownSince < milliseconds
  }

  get isExpired(): boolean {
    return this.#expiry?.isOver ?? false
  }

  /** Whether a client event now is to be written as a touch. */
  get wantsTouch(): boolean {
    return this.#expiry?.wantsTouch ?? false
  }

  /** Such an event was seen; `settle` is to follow when the store knows. */
  touched(): void {
    this.#expiry?.touched()
  }

  settle(): void {
    this.copy.settle('cookie')
    this.#expiry?.reckon(this.copy.session.cookie)
  }

  /** By which a store that can compare and set knows what is known; undefined where nobody knows. */
  get version(): unknown {
    return this.#version
  }

  /** Takes over what the store holds, in this version, as was asked for at `since`. */
  adopt(record: SessionRecord, since: number, version: unknown): void {
    if (!this.#copy) this.#copy = new WorkingCopy(this.create(record, this.#keeper))
    else if (!this.#copy.isBasedOn(record)) this.#copy.rebase(this.create(record))
    if (this.#expiry) this.#expiry.reckon(record.cookie)
    else this.#expiry = new Expiry(record.cookie, since)
    this.#knownSince = since
    this.#version = version === this.#copy.base ? this.#copy.base : version // One string in memory, where it is the same.
    this.#observations?.adopt()
  }

  /**
   * A write that was alone says what the store holds. Believed, unless a read that says something else was adopted
   * meanwhile: nobody knows which of the two is older, and nothing ever goes back to something older.
   */
  learn({ json, version }: Written, begun: Mark, since: number): void {
    if (!this.observations.hasLearntSince(begun)) this.adopt(JSON.parse(json), since, version)
    else if (json !== this.#copy?.base) this.observations.disturb()
  }

  /** Whether a write that was alone has said the same since: a store may write in its own `get`. */
  knows(record: SessionRecord | undefined, since: Mark): boolean {
    if (record === undefined || this.isOutdated || this.observations.isBeingWritten) return false
    return this.observations.hasLearntSince(since) && this.copy.isBasedOn(record)
  }

  /** Somebody extended it. What else the store holds was not learnt by that. */
  extend(cookie: SessionRecord['cookie']): void {
    this.#expiry?.reckon(cookie)
    this.#copy?.rebase(this.create({ ...JSON.parse(this.#copy.base), cookie }))
  }

  /** A copy to work on, with what was changed here. */
  draft(record: SessionRecord): WorkingCopy {
    const draft = new WorkingCopy(this.#createDraft(record))
    draft.apply(this.copy)
    return draft
  }

  /** A copy of a draft, to go on with. */
  fork(draft: WorkingCopy): WorkingCopy {
    return draft.fork(this.#createDraft(JSON.parse(JSON.stringify(draft.session))))
  }

  /** `save()` means nothing there: the draft is written when the work is done. */
  #createDraft(record: SessionRecord): ExpressSession {
    const keeper = this.#keeper
    const [destroy, unheard] = [() => keeper.destroy(), (error: unknown) => keeper.unheard(error)]
    return this.create(record, { ...notKept, destroy, unheard })
  }

  /** A `Session` of a record, which is used up, whose `save()` and the like `keeper` does. @throws SessionError `ERR_SESSION_STORE` */
  create(record: SessionRecord, keeper: SessionKeeper = notKept): ExpressSession {
    return this.#store.createSession(new SessionMethods(this.#id, keeper), record)
  }
}

/** For sessions that are only compared with. */
const notKept: SessionKeeper = {
  save: async () => {},
  reload: async () => {},
  destroy: async () => {},
  unheard: () => {},
}
