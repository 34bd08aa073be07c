/**
 * The `Session` object that all sockets of a session share, and how well it is known: answers of the store are adopted or
 * doubted here. No I/O; `stored-session.ts` asks the store.
 */
import { notFound } from '../errors'
import type { ExpressSession, SessionRecord } from '../store/record'
import type { SessionStore } from '../store/session-store'
import { now } from './clock'
import { Expiry } from './expiry'
import { type Mark, Observations, undisturbed } from './observations'
import { type SessionKeeper, SessionMethods } from './session-methods'
import { WorkingCopy } from './working-copy'

/** A record as JSON, and its version for compare-and-set; undefined where that is not known. */
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
  /** When the store was asked for what is known, on the monotonic clock. */
  #knownSince = 0
  /** What the store last told, and its version: a pair. The base of the copy has a write of ours, too, as soon as it is answered. */
  #told: string | undefined
  #version: unknown

  constructor(id: string, store: SessionStore, keeper: SessionKeeper) {
    this.#id = id
    this.#store = store
    this.#keeper = keeper
  }

  /** Made when first needed: most sessions are only read. */
  get observations(): Observations {
    this.#observations ??= new Observations()
    return this.#observations
  }

  /** The counts now. */
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

  /** The one `Session` object that all users of this session share, and its base. */
  get copy(): WorkingCopy {
    if (!this.#copy) throw notFound()
    return this.#copy
  }

  /** Whether it may be handed out: what is known is undisturbed, and at most `freshFor` ms old. */
  isCurrent(freshFor: number): boolean {
    return this.isWithin(freshFor) && !this.isOutdated && !this.isExpired
  }

  /** Whether what is known was asked for within that time. */
  isWithin(milliseconds: number): boolean {
    return this.#copy !== undefined && now() - this.#knownSince < milliseconds
  }

  get isExpired(): boolean {
    return this.#expiry?.isOver ?? false
  }

  /** Whether a client event now should be written as a touch. */
  get wantsTouch(): boolean {
    return this.#expiry?.wantsTouch ?? false
  }

  /** Such an event came. `settle` follows when the store has written it. */
  touched(): void {
    this.#expiry?.touched()
  }

  settle(): void {
    this.copy.settle('cookie')
    this.#expiry?.reckon(this.copy.session.cookie)
  }

  /** The version of what is known, for compare-and-set; undefined if unknown. */
  get version(): unknown {
    return this.#version
  }

  /** Adopts what the store holds, as it was asked for at `since`. */
  adopt(record: SessionRecord, since: number, version: unknown): void {
    if (!this.#copy) this.#copy = new WorkingCopy(this.create(record, this.#keeper))
    else if (!this.#copy.isBasedOn(record)) this.#copy.rebase(this.create(record))
    if (this.#expiry) this.#expiry.reckon(record.cookie)
    else this.#expiry = new Expiry(record.cookie, since)
    this.#knownSince = since
    this.#told = this.#copy.base
    this.#version = version === this.#told ? this.#told : version // One string in memory instead of two equal ones.
    this.#observations?.adopt()
  }

  /**
   * A write without others beside it tells what the store holds. It is believed, unless a read that says something else was
   * adopted meanwhile: nobody knows which of the two is older, and the session must never go back to something older.
   */
  learn({ json, version }: Written, begun: Mark, since: number): void {
    if (!this.observations.hasLearntSince(begun)) this.adopt(JSON.parse(json), since, version)
    else if (json !== this.#told) this.observations.disturb()
  }

  /** Whether a write has told the same since: a store may write in its own `get`. */
  knows(record: SessionRecord | undefined, since: Mark): boolean {
    if (record === undefined || this.isOutdated || this.observations.isBeingWritten) return false
    return this.observations.hasLearntSince(since) && this.copy.isBasedOn(record)
  }

  /** A request extended it, which tells nothing of its other keys. */
  extend(cookie: SessionRecord['cookie']): void {
    this.#expiry?.reckon(cookie)
    this.#copy?.rebase(this.create({ ...JSON.parse(this.#copy.base), cookie }))
  }

  /** A copy to work on, with the unsaved changes of the shared session. */
  draft(record: SessionRecord): WorkingCopy {
    const draft = new WorkingCopy(this.#createDraft(record))
    draft.apply(this.copy)
    return draft
  }

  /** A copy of a draft. */
  fork(draft: WorkingCopy): WorkingCopy {
    return draft.fork(this.#createDraft(JSON.parse(JSON.stringify(draft.session))))
  }

  /** Its `save()` does nothing: the draft is written when the work is done. */
  #createDraft(record: SessionRecord): ExpressSession {
    const keeper = this.#keeper
    const [destroy, unheard] = [() => keeper.destroy(), (error: unknown) => keeper.unheard(error)]
    return this.create(record, { ...notKept, destroy, unheard })
  }

  /** A `Session` of a record, which is used up; `keeper` does what its methods say. @throws SessionError `ERR_SESSION_STORE` */
  create(record: SessionRecord, keeper: SessionKeeper = notKept): ExpressSession {
    return this.#store.createSession(new SessionMethods(this.#id, keeper), record)
  }
}

/** For sessions that nobody saves. */
const notKept: SessionKeeper = {
  save: async () => {},
  reload: async () => {},
  destroy: async () => {},
  unheard: () => {},
}
