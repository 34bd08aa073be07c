/** What an express-session store is and keeps: the types, and what its answers mean. */
import type { Session, SessionData } from 'express-session'

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

/** The store's own methods, without what observers put around them. */
export type StoreMethods = Pick<StoreLike, 'get' | 'set' | 'destroy' | 'touch' | 'createSession'>

/**
 * Compare-and-set, a write that happens only if the record is still the one that was read: what a store implements to be
 * atomic across processes. Both methods reject when the store fails.
 */
export interface AtomicStore {
  /** The record now; undefined for an unknown or expired id, as with `get`. */
  getVersioned(id: string): Promise<Versioned | undefined>
  /**
   * As `set`, but only if the record still has this version. MUST be one atomic step in the store.
   * @returns whether it was written; false if the record is another by now, or gone
   */
  setVersioned(id: string, session: SessionData, version: unknown): Promise<boolean>
  /**
   * The version that the record has once this session was written as it is now, by `set` or `setVersioned`. With it the
   * next write needs no read before it; a wrong one costs a round trip, and nothing else.
   */
  versionOf?(session: SessionData): unknown
}

/** A record, and what tells whether it was written since. */
export interface Versioned<Answer = unknown> {
  record: Answer
  /** Opaque; goes back to `setVersioned` as it came. */
  version: unknown
}

/** A session as a store keeps it: plain data, `cookie` among it. */
export type SessionRecord = SessionData & Record<string, unknown>

/** What `req.session` is in an Express route: the app's own `SessionData` applies. */
export type ExpressSession = Session & Partial<SessionData>

/** Whether a store's answer is a session: it has a cookie. */
export function isRecord(record: unknown): record is SessionRecord {
  const { cookie } = Object(record) as { cookie?: unknown }
  return typeof cookie === 'object' && cookie !== null && !isKeyDocument(record)
}

/** zappajs keeps pointers to sessions, `{ id, cookie: {} }`, beside them in the store. */
export function isKeyDocument(record: unknown): boolean {
  const { cookie, id } = Object(record) as { cookie?: unknown; id?: unknown }
  return typeof id === 'string' && typeof cookie === 'object' && cookie !== null && Object.keys(cookie).length === 0
}

/** Stores that keep files say so for a session they do not have; express-session takes it as "none", too. */
export function isMissing(error: unknown): boolean {
  return (error as { code?: unknown } | null | undefined)?.code === 'ENOENT'
}

/** Whether the record's own expiry has passed, for stores that leave that to a sweep. */
export function isExpired({ cookie }: Pick<SessionData, 'cookie'>): boolean {
  const expires = expiryOf(cookie)
  return expires !== undefined && expires <= Date.now()
}

/** When a session ends by itself, in ms since 1970; undefined for one that lasts as long as the browser. */
export function expiryOf(cookie: SessionData['cookie']): number | undefined {
  const expires: unknown = cookie?.expires
  if (!expires) return undefined
  const time = new Date(expires as string | Date).getTime()
  return Number.isNaN(time) ? undefined : time
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}
