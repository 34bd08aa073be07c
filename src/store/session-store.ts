/**
 * Any express-session store, as promises. A store may throw, call back twice, late, never, or with garbage: here each
 * call becomes one answer or one `SessionError`. What the answers are worth is `session/`'s business.
 */
import type { SessionData } from 'express-session'
import { SessionError } from '../errors'
import type { AtomicStore } from './atomic-store'
import { Deadlines } from './deadlines'
import { createSession, isUsedByMiddleware, type SessionRequest } from './express-session'
import { asOwnCall } from './own-calls'
import {
  type ExpressSession,
  isExpired,
  isKeyDocument,
  isMissing,
  isRecord,
  isThenable,
  type SessionRecord,
  type StoreLike,
} from './record'

type Callback<T = unknown> = (error?: unknown, value?: T) => void

/** The store's own methods, without what observers put around them. */
export type StoreMethods = Pick<StoreLike, 'get' | 'set' | 'destroy' | 'touch' | 'createSession'>

/** A record as it was read, and its version where the store has such. */
export interface Reading {
  record: SessionRecord
  version: unknown
}

/** Told the answer of a write that comes after its time was up: nothing, or an error. */
export type Late = (error?: unknown) => void

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

  /** The record, or undefined where there is none: unknown or expired. @throws SessionError `ERR_SESSION_STORE`, `_TIMEOUT` */
  async get(id: string): Promise<SessionRecord | undefined> {
    return this.#valid(await this.#call('get', (done) => this.#methods.get(id, done)))
  }

  /** As `get`, with what `replace` wants to know. */
  async read(id: string): Promise<Reading | undefined> {
    const atomic = this.#atomic
    const found = atomic && (await this.#promise('get', () => atomic.getVersioned(id)))
    const record = atomic ? this.#valid(found?.record) : await this.get(id)
    return record && { record, version: found?.version }
  }

  /**
   * Writes; where the store can compare, only if the record is still of this version. @returns whether it did
   * @throws SessionError `ERR_SESSION_STORE`, `_TIMEOUT`
   */
  replace(id: string, session: ExpressSession, version: unknown, late: Late): Promise<boolean> {
    const atomic = this.#atomic
    const data = session as SessionData
    return asOwnCall(session, async () => {
      if (atomic) return this.#promise('set', () => atomic.setVersioned(id, data, version), late)
      await this.#call('set', (done) => this.#methods.set(id, data, done), late)
      return true
    })
  }

  /** @throws SessionError `ERR_SESSION_STORE`, `_TIMEOUT` */
  async destroy(id: string, late?: Late): Promise<void> {
    await this.#call('destroy', (done) => this.#methods.destroy(id, done), late)
  }

  /** @throws SessionError `ERR_SESSION_STORE`, `_TIMEOUT` */
  async touch(id: string, session: ExpressSession, late: Late): Promise<void> {
    const touch = (done: Callback) => this.#methods.touch?.(id, session as SessionData, done)
    await asOwnCall(session, () => this.#call('touch', touch, late))
  }

  /**
   * The record as a real `Session` of the store's express-session. The record is used up: pass a fresh one.
   * @throws SessionError `ERR_SESSION_STORE` for a record that is no session
   */
  createSession(request: SessionRequest, record: SessionRecord): ExpressSession {
    try {
      return createSession(this.#methods.createSession, request, record)
    } catch (error) {
      throw storeError('createSession', error)
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

  #promise<T>(method: string, start: () => Promise<T>, late?: Late): Promise<T> {
    return this.#call(method, (done) => start().then((value) => done(null, value)), late) as Promise<T>
  }

  /** First answer wins: of a store that calls back twice, or throws after it did, the rest is dropped. */
  #call(method: string, start: (done: Callback) => unknown, late?: Late): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { timeout } = this
      let isLate = false
      const deadline = this.#deadlines.begin(() => {
        isLate = true
        reject(timeoutError(method, timeout))
      }, timeout)
      const done: Callback = (error, answer) => {
        if (isThenable(answer)) return void answer.then((value) => done(error, value), fail)
        this.#deadlines.end(deadline)
        const failed = error && !isMissing(error)
        if (isLate) late?.(failed ? error : undefined)
        else if (failed) reject(storeError(method, error))
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

function storeError(method: string, cause: unknown): SessionError {
  if (cause instanceof SessionError) return cause
  return new SessionError('ERR_SESSION_STORE', `the session store failed in ${method}()`, { cause })
}

function timeoutError(method: string, timeout: number): SessionError {
  return new SessionError('ERR_SESSION_TIMEOUT', `the session store did not answer ${method}() within ${timeout} ms`)
}
