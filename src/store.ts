/**
 * Any express-session store, as promises. A store may throw, call back twice, never, or with garbage: here each call
 * becomes one answer or one `SessionError`. What the records mean is `stored-session.ts`'s business.
 */
import { type Session, type SessionData, Store } from 'express-session'
import type { AtomicStore } from './atomic'
import { Deadlines } from './deadlines'
import { SessionError } from './errors'

type Callback<T = unknown> = (error?: unknown, value?: T) => void

/**
 * The part of an express-session store that is used here (express-session, "Session Store Implementation").
 * `get` must answer nothing for an unknown or expired id; `set` and `destroy` must have happened when they call back.
 */
export interface StoreLike {
  get(id: string, callback: (error: unknown, record?: SessionData | null) => void): unknown
  set(id: string, session: SessionData, callback?: (error?: unknown) => void): unknown
  destroy(id: string, callback?: (error?: unknown) => void): unknown
  touch?(id: string, session: SessionData, callback?: (error?: unknown) => void): unknown
  regenerate?(request: never, callback: (error?: unknown) => unknown): unknown
  createSession?(request: never, record: SessionData): Session & SessionData
}

/** A session as a store keeps it: plain data, `cookie` among it. */
export type SessionRecord = SessionData & Record<string, unknown>

/** What `req.session` is in an Express route: the app's own `SessionData` applies. */
export type ExpressSession = Session & Partial<SessionData>

/** What express-session's `Session` wants of its request. */
export interface SessionRequest {
  sessionID: string
  sessionStore: unknown
  session?: unknown
}

/** The store's own methods, without what observers put around them. */
export type StoreMethods = Pick<StoreLike, 'get' | 'set' | 'destroy' | 'touch' | 'createSession'>

export class SessionStore {
  /** Milliseconds that a call may take. */
  timeout = 10_000

  readonly #methods: StoreMethods
  readonly #atomic: AtomicStore | undefined
  readonly #deadlines = new Deadlines()

  constructor(methods: StoreMethods, atomic: AtomicStore | undefined) {
    this.#methods = methods
    this.#atomic = atomic
  }

  /** The record, or undefined where there is none: unknown or expired. @throws SessionError `ERR_SESSION_STORE`, `_TIMEOUT` */
  get(id: string): Promise<SessionRecord | undefined> {
    return this.#call(
      'get',
      (done: Callback<unknown>) => this.#methods.get(id, done),
      (record) => this.#valid(record),
    )
  }

  /** Whether the store can compare and set. */
  get isAtomic(): boolean {
    return this.#atomic !== undefined
  }

  /** As `get`, with what `replace` wants to know. */
  async read(id: string): Promise<Reading | undefined> {
    const atomic = this.#atomic
    if (!atomic) return reading(await this.get(id), undefined)
    const found = await this.#promise('get', () => atomic.getVersioned(id))
    return reading(this.#valid(found?.record), found?.version)
  }

  /** Writes; where the store can compare, only if the record is still of this version. @returns whether it did */
  async replace(id: string, session: ExpressSession, version: unknown): Promise<boolean> {
    const atomic = this.#atomic
    const data = session as SessionData
    if (atomic) return this.#promise('set', () => atomic.setVersioned(id, data, version))
    await this.set(id, session)
    return true
  }

  set(id: string, session: ExpressSession): Promise<void> {
    return this.#call('set', (done: Callback<void>) => this.#methods.set(id, session as SessionData, done))
  }

  destroy(id: string): Promise<void> {
    return this.#call('destroy', (done: Callback<void>) => this.#methods.destroy(id, done))
  }

  get canTouch(): boolean {
    return typeof this.#methods.touch === 'function'
  }

  touch(id: string, session: ExpressSession): Promise<void> {
    return this.#call('touch', (done: Callback<void>) => this.#methods.touch?.(id, session as SessionData, done))
  }

  /**
   * The record as a real `Session` of the store's express-session. The record is used up: pass a fresh one.
   * @throws SessionError `ERR_SESSION_STORE` for a record that is no session
   */
  createSession(request: SessionRequest, record: SessionRecord): ExpressSession {
    const create = this.#methods.createSession ?? Store.prototype.createSession
    try {
      return create(request as never, record) as ExpressSession
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

  #promise<T>(method: string, start: () => Promise<T>): Promise<T> {
    return this.#call<T>(method, (done) => start().then((value) => done(null, value)))
  }

  /**
   * First answer wins: of a store that calls back twice, or throws after it did, the rest is dropped.
   * @param read makes of the answer what is wanted; may throw
   */
  #call<T, R = T>(
    method: string,
    start: (done: Callback<T>) => unknown,
    read = (answer: T) => answer as unknown as R,
  ): Promise<R> {
    return new Promise((resolve, reject) => {
      const { timeout } = this
      const deadline = this.#deadlines.begin(() => reject(timeoutError(method, timeout)), timeout)
      const done: Callback<T> = (error, answer) => {
        if (isThenable(answer)) {
          answer.then((value) => done(error, value as T), fail)
          return
        }
        this.#deadlines.end(deadline)
        if (error && !isMissing(error)) return reject(storeError(method, error))
        try {
          resolve(read((error ? undefined : answer) as T))
        } catch (invalid) {
          reject(invalid)
        }
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

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

/** A record as it was read, and its version where the store has such. */
export interface Reading {
  record: SessionRecord
  version: unknown
}

function reading(record: SessionRecord | undefined, version: unknown): Reading | undefined {
  return record && { record, version }
}

/** Stores that keep files say so for a session they do not have; express-session takes it as "none", too. */
export function isMissing(error: unknown): boolean {
  return (error as { code?: unknown } | null | undefined)?.code === 'ENOENT'
}

/** Whether a store's answer is a session: it has a cookie. */
export function isRecord(record: unknown): record is SessionRecord {
  const { cookie } = Object(record) as { cookie?: unknown }
  return typeof cookie === 'object' && cookie !== null && !isKeyDocument(record)
}

/** zappajs keeps pointers to sessions, `{ id, cookie: {} }`, beside them in the store. */
function isKeyDocument(record: unknown): boolean {
  const { cookie, id } = Object(record) as { cookie?: unknown; id?: unknown }
  return typeof id === 'string' && typeof cookie === 'object' && cookie !== null && Object.keys(cookie).length === 0
}

/** Whether the record's own expiry has passed, for stores that leave that to a sweep. */
function isExpired({ cookie }: Pick<SessionData, 'cookie'>, now = Date.now()): boolean {
  const expires = expiryOf(cookie)
  return expires !== undefined && expires <= now
}

/** When a session ends by itself, in ms since 1970; undefined for one that lasts as long as the browser. */
export function expiryOf(cookie: SessionData['cookie']): number | undefined {
  const expires: unknown = cookie?.expires
  if (!expires) return undefined
  const time = new Date(expires as string | Date).getTime()
  return Number.isNaN(time) ? undefined : time
}

function storeError(method: string, cause: unknown): SessionError {
  if (cause instanceof SessionError) return cause
  return new SessionError('ERR_SESSION_STORE', `the session store failed in ${method}()`, { cause })
}

function timeoutError(method: string, timeout: number): SessionError {
  return new SessionError('ERR_SESSION_TIMEOUT', `the session store did not answer ${method}() within ${timeout} ms`)
}
