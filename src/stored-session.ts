/**
 * One session as the store holds it: read it, write a working copy onto it, end it. A write carries over only what was
 * changed in the copy, onto what the store holds then, and only if it still exists. Order is the lane's business
 * (`registry.ts`); sharing is `live-session.ts`'s.
 */
import { SessionError } from './errors'
import type { Stage } from './options'
import type { ExpressSession, SessionRecord, SessionRequest, SessionStore } from './store'
import { type SessionKeeper, StoreFace } from './store-face'
import type { WorkingCopy } from './working-copy'

export const endReasons = ['destroyed', 'regenerated', 'expired', 'revoked'] as const

/** Why a session is over. */
export type EndReason = (typeof endReasons)[number]

/** The queue of one session id; `ended` is set while work waits or runs in it and the session ends. */
export interface Lane {
  ended: EndReason | undefined
}

/** Where sessions live: their store, their lanes, and who is to be told. */
export interface Home {
  readonly store: SessionStore
  exclusive<T>(id: string, work: (lane: Lane) => Promise<T>): Promise<T>
  /** The session was written; `json` is what the store now holds. */
  wrote(id: string, json: string): void
  /** The session is being destroyed: from now on it is over, and nobody may write or open it again. */
  end(id: string, reason: EndReason): void
  /** The store no longer has the session. */
  gone(id: string, reason: EndReason): void
  /** The store could not destroy it, so it lives on. */
  survived(id: string): void
  /** An error that nobody awaits. */
  unheard(error: unknown, stage: Stage): void
}

export class StoredSession {
  readonly id: string
  protected readonly home: Home

  constructor(id: string, home: Home) {
    this.id = id
    this.home = home
  }

  /** @throws SessionError `ERR_SESSION_NOT_FOUND` (and the session ends), `_STORE`, `_TIMEOUT` */
  async read(): Promise<SessionRecord> {
    const record = await this.home.store.get(this.id)
    if (record) return record
    this.home.gone(this.id, this.goneBecause())
    throw notFound()
  }

  /**
   * @returns false if it was overtaken, and nothing written: since the copy was made somebody changed the same key to
   * something else. Without `mode` such a key takes our value.
   * @throws SessionError `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT`
   */
  async write(copy: WorkingCopy, lane: Lane, mode?: 'unless overtaken'): Promise<boolean> {
    const conflicts = copy.rebase(this.create(await this.read()))
    if (mode && conflicts.length > 0) return false
    if (lane.ended) throw notFound()
    const json = copy.toJSON()
    await this.home.store.set(this.id, copy.session)
    await this.assertStillThere(lane)
    copy.written(json)
    this.home.wrote(this.id, json)
    return true
  }

  /** Destroys the session in the store. */
  async destroy(reason: EndReason = 'destroyed'): Promise<void> {
    this.home.end(this.id, reason)
    await this.home.store.destroy(this.id).catch((error) => {
      this.home.survived(this.id)
      throw error
    })
  }

  /** A `Session` made of a record, whose `save()` and the like `keeper` does. */
  create(record: SessionRecord, keeper: SessionKeeper = detached): ExpressSession {
    const request: SessionRequest = { sessionID: this.id, sessionStore: new StoreFace(keeper) }
    return this.home.store.createSession(request, record)
  }

  /** If the session ended while our write was on its way, the write may have come last: undo it. */
  protected async assertStillThere(lane: Lane): Promise<void> {
    if (!lane.ended) return
    await this.home.store.destroy(this.id)
    throw notFound()
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

export function notFound(): SessionError {
  return new SessionError('ERR_SESSION_NOT_FOUND', 'the session is no longer in the store: it was destroyed or expired')
}
