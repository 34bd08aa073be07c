/**
 * The Express session that a socket is bound to, as one event works on it.
 */
import type { ExpressSession, SessionRecord } from '../../src'
import { commit, type LiveSession, type SessionKeeper, type WorkingCopy } from '../../src/internals'

export class BoundSession {
  readonly #live: LiveSession

  constructor(live: LiveSession) {
    this.#live = live
  }

  get id(): string {
    return this.#live.id
  }

  /** Runs `work` after all other work on this session. @throws SessionError `ERR_SESSION_NOT_FOUND`, `_CONFLICT` */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#live.stored.exclusive(work)
  }

  /** @throws SessionError `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT` */
  async read(): Promise<SessionRecord> {
    return JSON.parse((await this.#live.stored.read()).json)
  }

  /** Only what was changed, and only if the session still exists. @throws as `read` */
  write(copy: WorkingCopy): Promise<void> {
    return commit(this.#live.stored, copy)
  }

  create(record: SessionRecord, keeper?: SessionKeeper): ExpressSession {
    return this.#live.stored.shared.create(record, keeper)
  }

  destroy(): Promise<void> {
    return this.#live.destroy()
  }

  unheard(error: unknown): void {
    this.#live.unheard(error)
  }
}
