/**
 * All that this process knows of one session id, in one object: the session as the store has it, who uses it, how it
 * ended. It exists as long as anybody uses it; `registry.ts` finds it.
 */
import { notFound } from '../errors'
import type { ExpressSession } from '../store/record'
import { type EndReason, type Home, type Owner, recent } from './endings'
import { type Change, update } from './group-commit'
import { roomOf } from './room'
import type { SessionKeeper } from './session-methods'
import { StoredSession } from './stored-session'
import { commit, save } from './unit-of-work'
import type { WorkingCopy } from './working-copy'

/** A connection: it uses a session and is closed when that ends. */
export interface Holder {
  close(): void
}

const nobody: Holder[] = []

export class LiveSession implements Owner, SessionKeeper {
  readonly id: string
  readonly stored: StoredSession
  /** Set once, when the session is over. */
  ended: EndReason | undefined
  /** Long ago, if never: a whole number, as V8 allocates an object for any other. */
  wroteAt = -recent

  readonly #home: Home<LiveSession>
  /** An array literal of one takes a third of the memory of a pushed array or a Set, and most sessions have one holder. */
  holders = nobody
  /** Holders, reads, writes in flight, and work. */
  #uses = 0
  #room: string | undefined

  constructor(id: string, home: Home<LiveSession>) {
    this.id = id
    this.#home = home
    this.stored = new StoredSession(this, home)
  }

  /** The one `Session` object that all users of this session share. */
  get session(): ExpressSession {
    return this.#copy.session
  }

  get #copy(): WorkingCopy {
    return this.stored.shared.copy
  }

  /** The room of its sockets. */
  get room(): string {
    this.#room ??= roomOf(this.id)
    return this.#room
  }

  get isOver(): boolean {
    return this.ended !== undefined || this.#home.endings.has(this.id)
  }

  /** Whether it may be handed out without asking the store; `freshFor` in ms. */
  isCurrent(freshFor: number): boolean {
    return this.stored.shared.isCurrent(freshFor)
  }

  /** @throws as `StoredSession#refresh` */
  refresh(): Promise<unknown> {
    return this.stored.refresh()
  }

  refreshUnheard(): void {
    this.refresh().catch((error) => this.ended || this.#home.unheard(error, 'refresh'))
  }

  /** Writes what was changed here. @throws SessionError (rejects) `ERR_SESSION_NOT_FOUND`, `_CONFLICT`, `_STORE`, `_TIMEOUT` */
  save(): Promise<void> {
    return this.#work(({ stored }) => save(stored, this.#copy))
  }

  /** Atomic read–modify–write. @throws (rejects) as `save`, and whatever `change` throws */
  update<T>(change: Change<T>): Promise<T> {
    return this.#work(({ stored }) => update(stored, change))
  }

  /** Whether a client event now should be written as a touch. */
  get wantsTouch(): boolean {
    return this.stored.shared.wantsTouch
  }

  /** Extends the session by its maxAge, in the store. @throws as `save` */
  touch(): Promise<void> {
    this.stored.shared.touched()
    const touch = async ({ stored }: LiveSession) => {
      this.session.touch()
      if (this.#home.store.canTouch) await stored.writes.alone(() => stored.writes.touch())
      else await commit(stored, stored.shared.copy)
    }
    return this.#work((here) => here.stored.exclusive(() => touch(here)))
  }

  /** `session.reload()`, also of a session that nobody kept fresh since it was loaded. @throws as `refresh` */
  async reload(): Promise<void> {
    const here = this.#here()
    await here.refresh()
    if (here !== this) this.#copy.rebase(this.stored.shared.create(JSON.parse(here.#copy.base)))
  }

  unheard(error: unknown): void {
    this.#home.unheard(error, 'save')
  }

  /** @throws SessionError `ERR_SESSION_STORE`, `_TIMEOUT` */
  destroy(): Promise<void> {
    return this.#home.endings.destroy(this.id)
  }

  /**
   * Keeps the session live and fresh until `release` of the session that this returns; the holder is closed if it ends.
   * @throws SessionError `ERR_SESSION_NOT_FOUND` if it ended meanwhile
   */
  hold(holder: Holder): LiveSession {
    const here = this.#here()
    if (here.holders === nobody) here.holders = [holder]
    else here.holders.push(holder)
    here.use()
    return here
  }

  release(holder: Holder): void {
    const index = this.holders.indexOf(holder)
    if (index === -1) return
    const last = this.holders.pop() as Holder
    if (last !== holder) this.holders[index] = last // As `splice`, which would allocate.
    if (!this.isHeld) this.#home.sessions.left(this)
    this.unuse()
  }

  get isHeld(): boolean {
    return this.holders.length > 0
  }

  /** Closing a connection runs the app's own listeners of `disconnect`: one that throws keeps no other connection open. */
  closeHolders(): void {
    for (const holder of [...this.holders]) {
      try {
        holder.close()
      } catch (error) {
        this.#home.unheard(error, 'end')
      }
    }
  }

  get isIdle(): boolean {
    return this.#uses === 0
  }

  use(): void {
    this.#uses++
  }

  unuse(): void {
    if (--this.#uses === 0) this.#home.sessions.idle(this)
  }

  /** A `Session` from `load` may outlive this object's place in the registry, and another object may have taken it. */
  #here(): LiveSession {
    if (this.isOver) throw notFound()
    return this.#home.sessions.attach(this)
  }

  async #work<T>(work: (here: LiveSession) => Promise<T>): Promise<T> {
    return work(this.#here())
  }
}
