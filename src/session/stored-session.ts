/**
 * One session in the store: its reads, and the order of work on it. `observations.ts` says what an answer is worth,
 * `writes-in-flight.ts` writes, and `unit-of-work.ts` decides what.
 */
import { notFound } from '../errors'
import type { SessionRecord, Versioned } from '../store/record'
import { now } from './clock'
import type { Home, Owner } from './endings'
import type { Mark, Observations } from './observations'
import type { SessionKeeper } from './session-methods'
import { SharedSession, type Written } from './shared-session'
import { WorkQueue } from './work-queue'
import { WritesInFlight } from './writes-in-flight'

/** A record that was read. */
export interface Knowledge extends Written {
  readonly mark: Mark
}

/** How often a disturbed read is repeated. Then it is adopted as it is, and the session stays outdated. */
const maxReads = 8

export class StoredSession {
  readonly shared: SharedSession
  /** When the store was last asked, answer or not; on the monotonic clock. */
  askedAt = 0

  readonly #owner: Owner
  readonly #home: Home
  #reading: Promise<Knowledge> | undefined
  /** These two are made when first needed: most sessions are only read. */
  #work: WorkQueue | undefined
  #writes: WritesInFlight | undefined

  constructor(owner: Owner & SessionKeeper, home: Home) {
    this.#owner = owner
    this.#home = home
    this.shared = new SharedSession(owner.id, home.store, owner)
  }

  get observations(): Observations {
    return this.shared.observations
  }

  get writes(): WritesInFlight {
    this.#writes ??= new WritesInFlight(this.#owner, this.shared, this.#home)
    return this.#writes
  }

  /**
   * Whether the store still holds what was read, as far as this process knows, and no request is about to change it.
   * @param isPolite whether to count writes, too, that were waited for long enough
   */
  isUndisturbed(since: Mark, isPolite: boolean): boolean {
    const isBeingWritten = isPolite ? this.observations.isBeingWritten : this.#writes?.areAwaited
    return !isBeingWritten && this.observations.mayBuildOn(since)
  }

  /** Whether the store can compare and set, so that `replace` notices every other writer. */
  get isAtomic(): boolean {
    return this.#home.store.isAtomic
  }

  /** What the store holds as far as this process knows; undefined if no compare-and-set can tell whether it does. */
  get known(): Knowledge | undefined {
    if (!this.shared.isCurrent(this.#home.sessions.freshFor)) return undefined
    const { version, mark } = this.shared
    return version === undefined ? undefined : { json: this.shared.copy.base, version, mark }
  }

  /** Milliseconds that the store has for an answer. */
  get timeout(): number {
    return this.#home.store.timeout
  }

  /** Whether writes of others matter: the session was read, or is about to be. */
  get isWanted(): boolean {
    return this.shared.isRead || this.#reading !== undefined
  }

  /**
   * Brings in what the store holds now. A read under way is shared, unless it was disturbed.
   * @throws SessionError `ERR_SESSION_NOT_FOUND` (and the session ends), `_STORE`, `_TIMEOUT`
   */
  refresh(): Promise<unknown> {
    return this.#reading?.then((known) => (this.shared.isOutdated ? this.read() : known)) ?? this.read()
  }

  /** What the store holds. Reads of a session are single flight: calls during a read share its answer. @throws as `refresh` */
  read(): Promise<Knowledge> {
    if (this.#owner.isOver) return Promise.reject(notFound())
    this.#reading ??= this.#read()
    return this.#reading
  }

  /** As `read`, but shares no read that began before: it may be older than what somebody else has read. */
  async readAnew(): Promise<Knowledge> {
    await this.#reading?.catch(() => {})
    return this.read()
  }

  async #read(): Promise<Knowledge> {
    this.#owner.use()
    try {
      for (let reads = 1; ; reads++) {
        const { mark } = this.shared
        this.askedAt = now()
        const known = this.#take(await this.#home.store.read(this.#owner.id), mark, reads < maxReads)
        if (known) return known
      }
    } finally {
      this.#reading = undefined
      this.#owner.unuse()
    }
  }

  /** Adopts what a read found. @returns undefined if the read has to be repeated, which it may */
  #take(found: Versioned<SessionRecord> | undefined, mark: Mark, mayRepeat: boolean): Knowledge | undefined {
    if (this.#owner.isOver) throw notFound()
    const isBelieved = this.shared.believesRead(mark)
    const isTold = !isBelieved && this.shared.knows(found?.record, mark)
    const isDoubted = !isBelieved && !isTold
    if (isDoubted && mayRepeat) return undefined
    if (!found) throw this.#gone()
    // What was learnt of a write meanwhile may be newer: the session must never go back to something older.
    const isOlder = isDoubted && this.observations.hasLearntSince(mark)
    if (!isOlder) this.shared.adopt(found.record, this.askedAt, found.version)
    if (isDoubted) this.observations.isOutdated = true
    this.#home.learnt(this.#owner)
    return { json: this.shared.copy.base, version: this.shared.version, mark: isTold ? this.shared.mark : mark }
  }

  /** The store has no such session. If it was never read here, it may just be being created. */
  #gone(): Error {
    const reason = this.shared.isExpired ? 'expired' : 'destroyed'
    if (this.shared.isRead) this.#home.endings.gone(this.#owner, reason)
    return notFound()
  }

  /** Rule 3. Runs `work` after all other work on this session. @throws SessionError `ERR_SESSION_NOT_FOUND`, `_CONFLICT` */
  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    this.#owner.use()
    this.#work ??= new WorkQueue(this.#home.store)
    try {
      return await this.#work.run(async () => {
        if (this.#owner.isOver) throw notFound()
        return work()
      })
    } finally {
      this.#owner.unuse()
    }
  }

  /** Tells that the current work is not stuck. */
  goOn(): void {
    this.#work?.goOn()
  }
}
