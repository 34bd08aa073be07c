/**
 * The writes of one session that the store has not answered yet, ours and those of HTTP requests. Each answer is learnt or
 * doubted (rule 1), and what was written after the session's end is destroyed again (rule 2). Requests never wait for our
 * writes, so ours wait for theirs; only for a while, as a write that hangs must not stop everything.
 */
import { notFound } from '../errors'
import type { Answered } from '../store/observer'
import type { SessionRecord } from '../store/record'
import { now } from './clock'
import type { Home, Owner } from './endings'
import type { SharedSession, Written } from './shared-session'
import { WorkQueue } from './work-queue'
import type { WorkingCopy } from './working-copy'

/**
 * Called with every answer, and when the write is given up. @param written what the store holds now; false if the store
 * refused it, undefined if nobody knows. @returns resolves when a write after the session's end was undone
 */
type WriteAnswered = (written?: Written | false) => Promise<void> | undefined

export class WritesInFlight {
  readonly #owner: Owner
  readonly #shared: SharedSession
  readonly #home: Home
  /** Our writes, one after the other. */
  readonly #ours = new WorkQueue()
  /** The writes of requests that ours wait for. */
  readonly #others = new Set<Promise<void>>()

  constructor(owner: Owner, shared: SharedSession, home: Home) {
    this.#owner = owner
    this.#shared = shared
    this.#home = home
  }

  /**
   * Writes a copy; if the store can compare, only while the record has this version. @returns whether it was written
   * @throws SessionError `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT`
   */
  async replace(copy: WorkingCopy, version: unknown): Promise<boolean> {
    this.#assertNotOver()
    copy.session.touch() // As express-session does before each save: stores take the expiry from the cookie.
    const snapshot = copy.snapshot()
    const answered = this.#begin()
    const { store } = this.#home
    const writing = store.replace(this.#owner.id, copy.session, version, () => answered())
    const written = { json: snapshot.json, version: store.versionOf(copy.session) }
    const isWritten = await writing.catch(async (error) => {
      snapshot.end(undefined)
      await answered()
      throw error
    })
    snapshot.end(isWritten)
    await answered(isWritten && written)
    this.#assertNotOver()
    return isWritten
  }

  /** Extends it in a store that has `touch`. @throws SessionError `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT` */
  async touch(): Promise<void> {
    this.#assertNotOver()
    const undo = () => this.#undoIfOver()
    await this.#home.store.touch(this.#owner.id, this.#shared.copy.session, undo).finally(undo)
    this.#assertNotOver()
    this.#shared.settle()
  }

  #assertNotOver(): void {
    if (this.#owner.isOver) throw notFound()
  }

  #begin(): WriteAnswered {
    this.#owner.use()
    const { observations } = this.#shared
    const mark = observations.beginWrite()
    const since = now()
    let isOpen = true
    return (written) => {
      const wasAlone = isOpen && observations.endWrite(mark)
      if (wasAlone && written) this.#learn(() => this.#shared.learn(written, mark, since))
      else observations.disturb()
      if (written !== false) this.#home.wrote(this.#owner)
      const undone = this.#undoIfOver()
      if (isOpen) this.#owner.unuse()
      isOpen = false
      return undone
    }
  }

  /** A write of a request begins. @param written undefined if nobody knows what @returns to be called with the store's answer */
  beginOthers(written: Written | undefined): Answered {
    const { patience, store } = this.#home
    const answered = this.#begin()
    let resolveWrite = () => {}
    const write = new Promise<void>((resolve) => {
      resolveWrite = resolve
    })
    const release = () => {
      this.#others.delete(write)
      resolveWrite()
    }
    this.#others.add(write)
    const wait = patience.begin(release, store.timeout / 10)
    const end = () => {
      patience.end(wait)
      store.deadlines.end(limit)
      release()
    }
    const limit = store.deadlines.begin(() => {
      end()
      answered()
    }, store.timeout)
    return (error) => {
      end()
      answered(error ? undefined : written)
    }
  }

  /** A request extended it. @param cookie undefined if nobody knows how far */
  extended(cookie: SessionRecord['cookie'] | undefined): void {
    if (cookie) this.#learn(() => this.#shared.extend(cookie))
    else this.#shared.observations.disturb()
  }

  /** Another object of this session wrote. */
  wroteElsewhere(): void {
    this.#owner.wroteAt = now()
    this.#shared.observations.disturb()
  }

  /** Whether our writes have to wait. */
  get areAwaited(): boolean {
    return this.#others.size > 0
  }

  /** Runs `work`, which writes, after our other writes, and after those of requests that began before. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    this.#owner.use()
    try {
      return await this.#ours.run(async () => {
        await Promise.all(this.#others)
        return work()
      })
    } finally {
      this.#owner.unuse()
    }
  }

  /** Learns what was written. If no `Session` can be made of it, events fail, not the writer. */
  #learn(news: () => void): void {
    try {
      news()
    } catch (error) {
      this.#shared.observations.disturb()
      this.#home.unheard(error, 'refresh')
    }
  }

  /** With every answer to a write. @returns resolves when a write after the session's end was undone */
  #undoIfOver(): Promise<void> | undefined {
    this.#owner.wroteAt = now()
    const { endings } = this.#home
    return endings.has(this.#owner.id) ? endings.undo(this.#owner.id) : undefined
  }
}
