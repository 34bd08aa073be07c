/**
 * What others do on the store instance, above all express-session at the end of HTTP requests: each write and each ending
 * is told to the session's object. A write of a session that was destroyed meanwhile is dropped. With `merge`, a write is
 * reduced to what the request changed.
 */
import { attempt, notFound } from '../errors'
import { storeOf } from '../store/express-session'
import type { Answered, StoreListener } from '../store/observer'
import { isRecord, type SessionRecord } from '../store/record'
import type { EndReason, Home } from './endings'
import type { LiveSession } from './live-session'
import { SessionMethods } from './session-methods'
import { commit } from './unit-of-work'
import { WorkingCopy } from './working-copy'

export class HttpWrites implements StoreListener {
  /** Whether requests write only what they changed. */
  merge = false

  readonly #home: Home<LiveSession>
  /** The `Session` objects of requests, with their base where writes are merged. */
  readonly #created = new WeakMap<object, WorkingCopy | undefined>()

  constructor(home: Home<LiveSession>) {
    this.#home = home
  }

  created(session: object): void {
    this.#created.set(session, this.merge ? new WorkingCopy(session as never) : undefined)
  }

  /** A session that was read before its destroy is not written again; a new one under the same id is. */
  instead(id: string, session: object, method: 'set' | 'touch'): Promise<void> | undefined {
    const { endings } = this.#home
    if (isOfRequest(session) && !this.#created.has(session)) {
      endings.revived(id)
      this.#created.set(session, undefined) // Nobody else has it yet, so this request goes on writing it whole.
      return undefined
    }
    if (endings.has(id)) {
      this.#home.unheard(notFound(), 'save')
      return Promise.resolve()
    }
    const copy = this.#created.get(session)
    return copy && method === 'set' ? this.#merge(id, copy) : undefined
  }

  writing(id: string, session: object): Answered {
    const { stored } = this.#home.at(id)
    const json = stored.isWanted ? jsonOf(session) : undefined
    const version = json && this.#home.store.versionOf(session)
    return stored.writes.beginOthers(json === undefined ? undefined : { json, version })
  }

  touching(id: string, session: object): Answered {
    const { cookie } = session as Partial<SessionRecord>
    const json = this.#home.sessions.get(id)?.stored.isWanted ? jsonOf({ cookie }) : undefined
    return (error) => {
      const { endings } = this.#home
      if (endings.has(id)) endings.undo(id)
      else if (!error) this.#home.sessions.get(id)?.stored.writes.extended(json && JSON.parse(json).cookie)
    }
  }

  destroying(id: string, reason: EndReason, responded?: Promise<unknown>): Answered {
    return this.#home.endings.begin(id, reason, responded)
  }

  /** Writes onto what the store holds by now. A session that is gone meanwhile is no failure of the request. */
  async #merge(id: string, copy: WorkingCopy): Promise<void> {
    try {
      await commit(this.#home.at(id).stored, copy)
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_SESSION_NOT_FOUND') throw error
      this.#home.unheard(error, 'save')
    }
  }
}

/** Whether it is the `Session` of a request: not that of a socket, nor a plain record that a store or a script writes. */
function isOfRequest(session: object): boolean {
  const store = storeOf(session)
  return store !== undefined && !(store instanceof SessionMethods)
}

/** The session as the store will keep it; the object may change between call and answer. */
function jsonOf(session: object): string | undefined {
  return attempt(() => (isRecord(session) ? JSON.stringify(session) : undefined))
}
