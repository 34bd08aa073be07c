/**
 * The `Session` object that all sockets of a session share, and how well it is known: what the store answered is
 * taken over here, or doubted. No I/O; `stored-session.ts` asks the store.
 */
import { notFound } from '../errors'
import type { ExpressSession, SessionRecord } from '../store/record'
import { now } from './clock'
import { Expiry } from './expiry'
import { type Mark, Observations } from './observations'
import { WorkingCopy } from './working-copy'

/** Makes a `Session` of a record, which is used up by that. */
export interface Maker {
  create(record: SessionRecord): ExpressSession
  /** One whose `save()` and the like work. */
  createShared(record: SessionRecord): ExpressSession
}

export class SharedSession {
  readonly observations = new Observations()

  #copy: WorkingCopy | undefined
  #expiry: Expiry | undefined
  /** When that was asked for, by which it is known. */
  #knownSince = 0

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
    return this.isWithin(freshFor) && !this.observations.isOutdated && !this.isExpired
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

  /** Takes over what the store holds, as was asked for at `since`. */
  adopt(record: SessionRecord, since: number, maker: Maker): void {
    if (!this.#copy) this.#copy = new WorkingCopy(maker.createShared(record))
    else if (!this.#copy.isBasedOn(record)) this.#copy.rebase(maker.create(record))
    if (this.#expiry) this.#expiry.reckon(record.cookie)
    else this.#expiry = new Expiry(record.cookie)
    this.#knownSince = since
    this.observations.adopt()
  }

  /** Whether a write that was alone has said the same since: a store may write in its own `get`. */
  knows(record: SessionRecord | undefined, since: Mark): boolean {
    const { isOutdated } = this.observations
    return !isOutdated && this.observations.hasLearntSince(since) && record !== undefined && this.copy.isBasedOn(record)
  }

  /**
   * A write that was alone says what the store holds. Believed, unless a read that says something else was adopted
   * meanwhile: nobody knows which of the two is older, and nothing ever goes back to something older.
   */
  learn(json: string, begun: Mark, since: number, maker: Maker): void {
    if (!this.observations.hasLearntSince(begun)) this.adopt(JSON.parse(json), since, maker)
    else if (json !== this.#copy?.base) this.observations.disturb()
  }

  /** Somebody extended it. What else the store holds was not learnt by that. */
  extend(cookie: SessionRecord['cookie'], maker: Maker): void {
    this.#expiry?.reckon(cookie)
    this.#copy?.rebase(maker.create({ ...JSON.parse(this.#copy.base), cookie }))
  }
}
