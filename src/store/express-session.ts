/**
 * What is relied on of express-session beyond its documented API, in one place. Tested on the oldest and the newest
 * version that is supported (`test/matrix.mjs`).
 */
import { Store } from 'express-session'
import type { ExpressSession, SessionRecord, StoreLike } from './record'

/** What express-session's `Session` wants of its request. */
export interface SessionRequest {
  sessionID: string
  sessionStore: unknown
  session?: unknown
}

type CreateSession = NonNullable<StoreLike['createSession']>

/**
 * The record as a real `Session`, whose methods call `request.sessionStore` (express-session, session/session.js). The
 * record is used up: pass a fresh one. A store that does not inherit from express-session's `Store` gets its `createSession`.
 */
export function createSession(
  create: CreateSession = Store.prototype.createSession as CreateSession,
  request: SessionRequest,
  record: SessionRecord,
): ExpressSession {
  return create(request as never, record)
}

/** The store that a `Session` object saves itself to; undefined for what is no `Session`, a plain record for instance. */
export function storeOf(session: object): unknown {
  const { save, req } = session as { save?: unknown; req?: { sessionStore?: unknown } }
  return typeof save === 'function' ? req?.sessionStore : undefined
}

/** Whether express-session in this process was given this store instance: it puts `generate` on it. Without that, nobody knows. */
export function isUsedByMiddleware(store: StoreLike): boolean {
  return typeof (store as { generate?: unknown }).generate === 'function'
}
