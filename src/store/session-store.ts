/**
 * Any express-session store, as promises. A store may throw, call back twice, late, never, or with garbage: here each
 * call becomes one answer or one `SessionError`. What the answers are worth is `session/`'s business.
 */
import type { SessionData } from 'express-session'
import { asSessionError, SessionError } from '../errors'
import { Deadlines } from './deadlines'
import { createSession, isUsedByMiddleware, type SessionRequest } from './express-session'
import { type Answered, asOwnCall } from './observer'
import type { AtomicStore, ExpressSession, SessionRecord, StoreLike, StoreMethods } from './record'
import { isExpired, isKeyDocument, isMissing, isRecord, isThenable } from './record'

type Callback = (error?: unknown, value?: unknown) => void

/** Whatever asks the store rejects with `ERR_SESSION_STORE` if it fails, and `ERR_SESSION_TIMEOUT` if it does not answer. */
export class SessionStore {
  /** Milliseconds that a call may take. */
  timeout = 10_000

  readonly #target: StoreLike
  readonly #methods: StoreMethods
  readonly #atomic: AtomicStore | undefined
  readonly #deadlines = new Deadlines()

  constructor(target: StoreLike, methods: StoreMethods, atomic: AtomicStore | undefined) {
    this.#target = target
    this.#methods = methods
    this.#atomic = atomic
  }

  /** Whether the store can compare and set. */
  get isAtomic(): boolean {
    return this.#atomic !== undefined
  }

  /** Whether express-session in this process was given this store instance. */
  get isUsedByMiddleware(): boolean {
    return isUsedByMiddleware(this.#target)
  }

  get canTouch(): boolean {
    return typeof this.#methods.touch === 'function'
  }

  /** The record, or undefined where there is none: unknown or expired. */
  async get(id: string): Promise<SessionRecord | undefined> {
    return this.#valid(await this.#call('get', (done) => this.#methods.get(id, done)))
  }

  /** As `get`, with the version that `replace` wants to know, where the store has such. */
  async read(id: string): Promise<{ record: SessionRecord; version: unknown } | undefined> {
    const atomic = this.#atomic
    const found = atomic && (await this.#promise('get', () => atomic.getVersioned(id)))
    const record = atomic ? this.#valid(found?.record) : await this.get(id)
    return record && { record, version: found?.version }
  }

  /**
   * Writes; where the store can compare, only if the record is still of this version.
   * @param late told the answer of a write that comes after its time was up
   * @returns whether it did
   */
  replace(id: string, session: ExpressSession, version: unknown, late: Answered): Promise<boolean> {
    const atomic = this.#atomic
    const data = session as SessionData
    return asOwnCall(session, async () => {
      if (atomic) return this.#promise('set', () => atomic.setVersioned(id, data, version), late)
      await this.#call('set', (done) => this.#methods.set(id, data, done), late)
      return true
    })
  }

  async destroy(id: string, late?: Answered): Promise<void> {
    await this.#call('destroy', (done) => this.#methods.destroy(id, done), late)
  }

  async touch(id: string, session: ExpressSession, late: Answered): Promise<void> {
    const touch = (done: Callback) => this.#methods.touch?.(id, session as SessionData, done)
    await asOwnCall(session, () => this.#call('touch', touch, late))
  }

  /** As that of `express-session.ts`. @throws SessionError `ERR_SESSION_STORE` for a record that is no session */
  createSession(request: SessionRequest, record: SessionRecord): ExpressSession {
    try {
      return createSession(this.#methods.createSession, request, record)
    } catch (error) {
      throw failure('createSession', error)
    }
  }

  /**
   * A store with `touch` may extend a session without writing its cookie, so it alone knows when one is over. And one
   * that answers with garbage has failed: nobody may take that for the end of a session.
   */
  #valid(record: unknown): SessionRecord | undefined {
    if (isRecord(record)) return this.canTouch || !isExpired(record) ? record : undefined
    if (!record || isKeyDocument(record)) return undefined
    throw new SessionError('ERR_SESSION_STORE', 'the session store gave something that is no session: it has no cookie')
  }

  #promise<T>(method: string, start: () => Promise<T>, late?: Answered): Promise<T> {
    return this.#call(method, (done) => start().then((value) => done(null, value)), late) as Promise<T>
  }

  /** First answer wins: of a store that calls back twice, or throws after it did, the rest is dropped. */
  #call(method: string, start: (done: Callback) => unknown, late?: Answered): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { timeout } = this
      let isLate = false
      const deadline = this.#deadlines.begin(() => {
        isLate = true
        const message = `the session store did not answer ${method}() within ${timeout} ms`
        reject(new SessionError('ERR_SESSION_TIMEOUT', message))
      }, timeout)
      const done: Callback = (error, answer) => {
        if (isThenable(answer)) return void answer.then((value) => done(error, value), fail)
        this.#deadlines.end(deadline)
        const failed = error && !isMissing(error)
        if (isLate) late?.(failed ? error : undefined)
        else if (failed) reject(failure(method, error))
        else resolve(error ? undefined : answer)
      }
      const fail = (error: unknown) => done(error || new Error('failed without an error'))
      try {
        const returned = start(done)
        if (isThenable(returned)) returned.then(undefined, fail)
      } catch (error) {
        fail(error)
      }
    })
  }
}

function failure(method: string, error: unknown): SessionError {
  return asSessionError(error, `the session store failed in ${method}()`)
}
