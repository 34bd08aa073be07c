/**
 * Sessions in a store, and the handshakes of clients that have their cookie: what session.io is called with, without a
 * server.
 */
import { EventEmitter, once } from 'node:events'
import { sign } from 'cookie-signature'
import session from 'express-session'

export const secret = 'keyboard cat'

export interface Handshake {
  headers: { cookie?: string }
  session?: session.Session & Partial<session.SessionData>
  [key: string]: unknown
}

/** A store that has ann's session, under the id `ann-id`. */
export function storeWithAnn(cookie: Partial<session.Cookie> = {}): session.MemoryStore {
  const store = new session.MemoryStore()
  store.set('ann-id', { user: 'ann', cookie: { originalMaxAge: null, ...cookie } } as session.SessionData)
  return store
}

export function handshakeWith(cookie?: string): Handshake {
  return { headers: cookie === undefined ? {} : { cookie } }
}

/** `connect.sid=s%3A…`, as express-session sends it. */
export function signedCookie(id = 'ann-id', name = 'connect.sid', by = secret): string {
  return `${name}=${encodeURIComponent(`s:${sign(id, by)}`)}`
}

type Done = (...verdict: unknown[]) => void
export type Authorizer = (handshake: never, done: Done) => void

/**
 * Every call of `done`, in order: waits for the first, then lets the event loop turn until a store in memory has long
 * answered whatever else was asked of it.
 */
export async function verdictsOf(authorize: Authorizer, handshake: unknown): Promise<unknown[][]> {
  const verdicts: unknown[][] = []
  const done = new EventEmitter()
  const first = once(done, 'called')
  authorize(handshake as never, (...verdict) => {
    verdicts.push(verdict)
    done.emit('called')
  })
  await first
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  return verdicts
}
