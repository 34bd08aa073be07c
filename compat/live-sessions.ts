/**
 * From what an authorizer left as `data.session` to the live session, which the connection holds: one that a shim
 * loaded, or one that the app itself read from its store, as it did before there were libraries for that.
 */
import type { ExpressSession, StoreLike } from '../src'
import { type ConnectionLike, isRecord, type LiveSession, SessionRegistry, storeOf } from '../src/internals'

/** What authorizers leave beside the session. */
interface SessionData {
  session?: unknown
  sessionID?: unknown
  sessionStore?: unknown
}

const behind = new WeakMap<object, LiveSession>()
const registries = new WeakMap<StoreLike, SessionRegistry>()
let isWarned = false

/** Lets `holdSession` find this live session by its session object. */
export function rememberLive(live: LiveSession): void {
  behind.set(live.session, live)
}

/** Joined for good: the old APIs have no close, and a registry without sessions keeps nothing alive. */
export function registryOf(store: StoreLike, timeout: number): SessionRegistry {
  const registry = registries.get(store) ?? SessionRegistry.join(store, { timeout })
  registries.set(store, registry)
  return registry
}

/** Milliseconds for which a live session is believed without asking the store, as by default in the core. */
export const freshFor = 5_000

/**
 * Keeps the session fresh as long as the connection is open, and closes the connection when the session ends.
 * @param timeout milliseconds that the store has for its answer
 * @returns the session to use from now on; what is no session of a store that is known comes back as it is
 * @throws SessionError (rejects) `ERR_SESSION_NOT_FOUND` when it is over, `_STORE`, `_TIMEOUT`
 */
export async function holdSession(data: SessionData, conn: ConnectionLike, timeout: number): Promise<unknown> {
  const live = behind.get(Object(data.session)) ?? (await openStored(data, timeout))
  if (!live || conn.readyState !== 'open') return data.session
  const held = live.hold(conn)
  conn.on('close', () => held.release(conn))
  // Nobody told us what happened to a session that nobody held.
  if (!held.isCurrent(freshFor)) await held.refresh()
  rememberLive(held)
  return held.session satisfies ExpressSession
}

/** The live session of a `Session` that has its store, or of a plain record with `sessionStore` and `sessionID` beside it. */
async function openStored(data: SessionData, timeout: number): Promise<LiveSession | undefined> {
  const { session } = data
  if (!isSession(session)) return undefined
  const store = storeOf(session) ?? data.sessionStore
  const id = typeof session.save === 'function' ? session.id : data.sessionID
  if (isStore(store) && typeof id === 'string' && id !== '') return registryOf(store, timeout).open(id, freshFor)
  if (!isWarned) process.emitWarning(unknownStore, 'LegacySessionWarning')
  isWarned = true
  return undefined
}

const unknownStore =
  'authorization: data.session looks like a session, but not of which store: it stays as it was read, and a logout does ' +
  'not close its socket. Set data.sessionStore and data.sessionID before the callback'

/** A `Session` of express-session or Connect, or what their stores have as the record of one. */
function isSession(session: unknown): session is { id?: unknown; save?: unknown } {
  return isRecord(session)
}

export function isStore(store: unknown): store is StoreLike {
  const methods = Object(store) as Record<string, unknown>
  return ['get', 'set', 'destroy'].every((method) => typeof methods[method] === 'function')
}
