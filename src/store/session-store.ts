/**
 * Any express-session store, as promises. A store may throw, call back twice, late, never, or with garbage: here each
 * call becomes one answer or one `SessionError`. What the answers are worth is `session/`'s business.
 */
import type { SessionData } from 'express-session'
import { asSessionError, attempt, SessionError } from '../errors'
import { Deadlines } from './deadlines'
import { createSession, type SessionRequest } from './express-session'
import { type Answered, asOwnCall } from './observer'
import type { AtomicStore, ExpressSession, SessionRecord, StoreMethods, Versioned } from './record'
import { isExpired, isKeyDocument, isMissing, isRecord, isThenable } from './record'

type Callback = (error?: unknown, value?: unknown) => void

/** Whatever asks the store rejects with `ERR_SESSION_STORE` if it fails, and `ERR_SESSION_TIMEOUT` if it does not answer. */
export class SessionStore {
  /** Milliseconds that a call may take. */
  timeout = 0
  readonly deadlines = new Deadlines()

  readonly #methods: StoreMethods
  readonly #atomic: AtomicStore | undefined

  constructor(methods: StoreMethods, atomic: AtomicStore | undefined) {
    this.#methods = methods
    this.#atomic = atomic
  }

  /** Whether the store can compare and set. */
  get isAtomic(): boolean {
    return this.#atomic !== undefined
  }

  get canTouch(): boolean {
    return typeof this.#methods.touch === 'function'
  }

  /** The record, or undefined where there is none: unknown or expired. */
  async get(id: string): Promise<SessionRecord | undefined> {
    return (await this.#get(id))?.record
  }

  /** As `get`, with the version that `replace` wants to know, where the store has such. */
  read(id: string): Promise<Versioned<SessionRecord> | undefined> {
    return this.#atomic ? this.#getVersioned(id, this.#atomic) : this.#get(id)
  }

  #getVersioned(id: string, atomic: AtomicStore): Promise<Versioned<SessionRecord> | undefined> {
    const get = promised(() => atomic.getVersioned(id))
    return this.#call('get', get, (found?: Versioned) => this.#versioned(found?.record, found?.version))
  }

  #get(id: string): Promise<Versioned<SessionRecord> | undefined> {
    return this.#call('get', (done) => this.#methods.get(id, done), this.#versioned)
  }

  /**
   * Writes; where the store can compare, only if the record is still of this version.
   * @param late told the answer of a write that comes after its time was up
   * @returns whether it did
   */
  replace(id: string, session: ExpressSession, version: unknown, late: Answered): Promise<boolean> {
    const atomic = this.#atomic
    const data = session as SessionData
    const set = atomic
      ? promised(() => atomic.setVersioned(id, data, version))
      : (done: Callback) => this.#methods.set(id, data, done)
    return asOwnCall(session, () => this.#call('set', set, atomic ? Boolean : () => true, late))
  }

  /** The version of what is written of this session now; undefined where nobody knows. */
  versionOf(session: object): unknown {
    return attempt(() => this.#atomic?.versionOf?.(session as SessionData))
  }

  destroy(id: string, late?: Answered): Promise<void> {
    return this.#call('destroy', (done) => this.#methods.destroy(id, done), nothing, late)
  }

  touch(id: string, session: ExpressSession, late: Answered): Promise<void> {
    const touch = (done: Callback) => this.#methods.touch?.(id, session as SessionData, done)
    return asOwnCall(session, () => this.#call('touch', touch, nothing, late))
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
  readonly #versioned = (record: unknown, version?: unknown): Versioned<SessionRecord> | undefined => {
    if (isRecord(record)) return this.canTouch || !isExpired(record) ? { record, version } : undefined
    if (!record || isKeyDocument(record)) return undefined
    throw new SessionError('ERR_SESSION_STORE', 'the session store gave something that is no session: it has no cookie')
  }

  /**
   * First answer wins: of a store that calls back twice, or throws after it did, the rest is dropped.
   * @param read makes of the answer what is wanted; may throw
   */
  #call<A, R>(method: string, start: (done: Callback) => unknown, read: (answer: A) => R, late?: Answered): Promise<R> {
    return new Promise((resolve, reject) => {
      const { timeout } = this
      let isLate = false
      const deadline = this.deadlines.begin(() => {
        isLate = true
        const message = `the session store did not answer ${method}() within ${timeout} ms`
        reject(new SessionError('ERR_SESSION_TIMEOUT', message))
      }, timeout)
      const done: Callback = (error, answer) => {
        if (isThenable(answer))
          return void answer.then(
            (value) => done(error, value),
            (failure) => done(failure || unknown),
          )
        this.deadlines.end(deadline)
        const failed = error && !isMissing(error)
        if (isLate) return late?.(failed ? error : undefined)
        if (failed) return reject(failure(method, error))
        try {
          resolve(read((error ? undefined : answer) as A))
        } catch (invalid) {
          reject(invalid)
        }
      }
      try {
        const returned = start(done)
        if (isThenable(returned)) returned.then(undefined, (error) => done(error || unknown))
      } catch (error) {
        done(error || unknown)
      }
    })
  }
}

/** A call that answers by a promise alone. */
function promised(start: () => Promise<unknown>): (done: Callback) => unknown {
  return (done) => start().then((value) => done(null, value))
}

function nothing(): void {}

/** For a store that rejects without an error. */
const unknown = new Error('failed without an error')

function failure(method: string, error: unknown): SessionError {
  return asSessionError(error, `the session store failed in ${method}()`)
}
