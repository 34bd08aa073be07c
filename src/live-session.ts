/**
 * One session, shared by everything in this process that uses it: read, save, update and end. All work that writes is
 * done in the order of the session's lane (`registry.ts`), writes only what was changed here, onto what the store holds
 * then, and only if it still exists.
 */
import { SessionError } from './errors'
import type { ExpressSession, SessionRecord, SessionRequest, SessionStore } from './store'
import { type SessionKeeper, StoreFace } from './store-face'
import { WorkingCopy } from './working-copy'

/** Why a session is over. */
export type EndReason = 'destroyed' | 'regenerated' | 'expired' | 'revoked'

/** Changes a session and may return something; may be async, and may run again on a fresh session. */
export type Change<T> = (session: ExpressSession) => T | Promise<T>

/** The queue of one session id; `ended` is set while work waits or runs in it and the session ends. */
export interface Lane {
  ended: EndReason | undefined
}

/** Where a live session lives: its store, its lane, and whom it tells. */
export interface Home {
  readonly store: SessionStore
  exclusive<T>(id: string, work: (lane: Lane) => Promise<T>): Promise<T>
  /** The session was written; `json` is what the store now holds. */
  wrote(id: string, json: string): void
  end(id: string, reason: EndReason): void
  unheard(error: unknown): void
}

/** Something that uses a session and has to close when it ends: a connection. */
export interface Holder {
  close(): void
}

/** How often `update` starts over before it says that the session is too busy. */
const maxAttempts = 20

export class LiveSession implements SessionKeeper {
  readonly id: string
  /** When the store was last asked, in ms since 1970. */
  readAt = Date.now()
  /** Set once, when the session is over. */
  ended: EndReason | undefined
  readonly holders = new Set<Holder>()

  readonly #home: Home
  readonly #copy: WorkingCopy

  constructor(id: string, record: SessionRecord, home: Home) {
    this.id = id
    this.#home = home
    this.#copy = new WorkingCopy(this.#create(record, this))
  }

  /** The one object that everybody holds. */
  get session(): ExpressSession {
    return this.#copy.session
  }

  /** Brings in what the store holds now. @throws SessionError `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT` */
  refresh(): Promise<void> {
    return this.#home.exclusive(this.id, async () => {
      this.receive(await this.#read())
      this.readAt = Date.now()
    })
  }

  /** Takes over a newer record, whoever read or wrote it. */
  receive(record: SessionRecord): void {
    this.#copy.rebase(this.#create(record))
  }

  /** Writes what was changed here. @throws SessionError `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT` */
  save(): Promise<void> {
    return this.#home.exclusive(this.id, async (lane) => {
      if (this.#copy.isChanged) await this.#write(this.#copy, lane)
      else assertAlive(lane, this.ended)
    })
  }

  /**
   * Atomic read–modify–write. `change` works on a draft, so a failure leaves nothing behind.
   * @throws SessionError `ERR_SESSION_NOT_FOUND`, `_CONFLICT`, `_STORE`, `_TIMEOUT`, and whatever `change` throws
   */
  update<T>(change: Change<T>): Promise<T> {
    return this.#home.exclusive(this.id, async (lane) => {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const draft = new WorkingCopy(this.#create(await this.#read(), this.#draftKeeper()))
        draft.apply(this.#copy)
        const result = await change(draft.session)
        if (!draft.isChanged || (await this.#write(draft, lane, 'unless overtaken'))) return result
      }
      throw new SessionError('ERR_SESSION_CONFLICT', `update: overtaken by other writers ${maxAttempts} times in a row`)
    })
  }

  /** Destroys the session in the store. */
  async destroy(): Promise<void> {
    this.#home.end(this.id, 'destroyed')
    await this.#home.store.destroy(this.id)
  }

  unheard(error: unknown): void {
    this.#home.unheard(error)
  }

  async #read(): Promise<SessionRecord> {
    const record = await this.#home.store.get(this.id)
    if (record) return record
    this.#home.end(this.id, 'destroyed')
    throw notFound()
  }

  /** @returns false if it was overtaken: somebody changed the same key to something else meanwhile */
  async #write(copy: WorkingCopy, lane: Lane, mode?: 'unless overtaken'): Promise<boolean> {
    const conflicts = copy.rebase(this.#create(await this.#read()))
    if (mode && conflicts.length > 0) return false
    assertAlive(lane, this.ended)
    const json = copy.toJSON()
    await this.#home.store.set(this.id, copy.session)
    if (lane.ended) await this.#undo()
    copy.written(json)
    this.#home.wrote(this.id, json)
    return true
  }

  /** The session ended while the write was on its way, and the write may have come last. */
  async #undo(): Promise<never> {
    await this.#home.store.destroy(this.id)
    throw notFound()
  }

  #create(record: SessionRecord, keeper: SessionKeeper = this): ExpressSession {
    const request: SessionRequest = { sessionID: this.id, sessionStore: new StoreFace(keeper) }
    return this.#home.store.createSession(request, record)
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

function assertAlive(lane: Lane, ended: EndReason | undefined): void {
  if (lane.ended || ended) throw notFound()
}

export function notFound(): SessionError {
  return new SessionError('ERR_SESSION_NOT_FOUND', 'the session is no longer in the store: it was destroyed or expired')
}
