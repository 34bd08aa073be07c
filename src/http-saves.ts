/**
 * What express-session writes at the end of HTTP requests: dropped when the session was destroyed meanwhile, and with
 * `mergeHttpSaves` reduced to what the request changed.
 */
import type { Graves } from './graves'
import { StoreFace } from './store-face'
import { type Home, notFound, StoredSession } from './stored-session'
import { WorkingCopy } from './working-copy'

export class HttpSaves {
  /** Whether requests write only what they changed. */
  merge = false

  readonly #home: Home
  readonly #graves: Graves
  /** The `Session` objects of requests; when they are merged, with what they were made of. */
  readonly #inflated = new WeakMap<object, WorkingCopy | undefined>()

  constructor(home: Home, graves: Graves) {
    this.#home = home
    this.#graves = graves
  }

  /** express-session made this object of a record. */
  inflated(session: object): void {
    this.#inflated.set(session, this.merge ? new WorkingCopy(session as never) : undefined)
  }

  /**
   * A session that was read before it was destroyed is not written again; one that is new under its id is.
   * @returns what happens instead of the write, if not the write itself
   */
  saving(id: string, session: object, method: 'set' | 'touch'): Promise<void> | undefined {
    if (isNew(session) && !this.#inflated.has(session)) {
      this.#graves.exhume(id)
      this.#inflated.set(session, undefined) // Nobody else has it yet, so the rest of this request writes it whole, too.
      return undefined
    }
    if (this.#graves.has(id)) {
      this.#home.unheard(notFound(), 'save')
      return Promise.resolve()
    }
    const copy = this.#inflated.get(session)
    return copy && method === 'set' ? this.#write(id, copy) : undefined
  }

  /** Onto what the store holds by now. That the session is gone meanwhile is no failure of the request. */
  async #write(id: string, copy: WorkingCopy): Promise<void> {
    const stored = new StoredSession(id, this.#home)
    try {
      await this.#home.exclusive(id, () => stored.write(copy))
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_SESSION_NOT_FOUND') throw error
      this.#home.unheard(error, 'save')
    }
  }
}

/** Whether it is the `Session` of a request, and not of a socket or a plain record that a store or a script writes. */
function isNew(session: object): boolean {
  const { save, req } = session as { save?: unknown; req?: { sessionStore?: unknown } }
  return typeof save === 'function' && !(req?.sessionStore instanceof StoreFace)
}
