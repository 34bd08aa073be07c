/**
 * From what an authorizer left as `data.session` to the live session, which the connection holds: one that a shim
 * loaded, or one that the app itself read from its store, as it did before there were libraries for that.
 */
import { type ExpressSession, SessionError, type StoreLike } from '../src'
import { type ConnectionLike, isRecord, type LiveSession, SessionRegistry, storeOf } from '../src/internals'

/** What authorizers leave beside the session. */
interface SessionData {
  session?: unknown
  sessionID?: unknown
  sessionStore?: unknown
  headers?: unknown
  url?: unknown
}

const behind = new WeakMap<object, LiveSession>()
/** What each connection holds: its namespaces ask one after the other, and a client can join them again and again. */
const holding = new WeakMap<ConnectionLike, Set<LiveSession>>()
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
  const held = hold(live, conn)
  // Nobody told us what happened to a session that nobody held.
  if (!held.isCurrent(freshFor)) await held.refresh()
  rememberLive(held)
  return held.session satisfies ExpressSession
}

function hold(live: LiveSession, conn: ConnectionLike): LiveSession {
  const known = holding.get(conn) ?? new Set()
  if (known.has(live) && !live.isOver) return live
  const held = live.hold(conn)
  holding.set(conn, known.add(held))
  conn.on('close', () => held.release(conn))
  return held
}

/** The live session of a `Session` that has its store, or of a plain record with `sessionStore` and `sessionID` beside it. */
async function openStored(data: SessionData, timeout: number): Promise<LiveSession | undefined> {
  const { session } = data
  if (!isSession(session)) return undefined
  const store = storeOf(session) ?? data.sessionStore
  const id = typeof session.save === 'function' ? session.id : data.sessionID
  if (isStore(store) && typeof id === 'string' && id !== '') return openUnlessNew(registryOf(store, timeout), id, data)
  if (!isWarned) process.emitWarning(unknownStore, 'LegacySessionWarning')
  isWarned = true
  return undefined
}

/**
 * A middleware that an authorizer calls makes a new session for a guest: that is in no store yet, and stays as it is. What
 * tells it from one that has ended: there is nothing in it, and the client has not brought its id.
 */
async function openUnlessNew(
  registry: SessionRegistry,
  id: string,
  data: SessionData,
): Promise<LiveSession | undefined> {
  try {
    return await registry.open(id, freshFor)
  } catch (error) {
    const isMissing = error instanceof SessionError && error.code === 'ERR_SESSION_NOT_FOUND'
    const isNew = Object.keys(Object(data.session)).every((key) => key === 'cookie') && !isBrought(id, data)
    if (!isMissing || !isNew || registry.endings.has(id)) throw error
    return undefined
  }
}

/** Also where the client wrote characters of it as `%41`, and something else that nobody can decode. */
function isBrought(id: string, { headers, url }: SessionData): boolean {
  const sent = [url, ...Object.values(Object(headers))].flat().join('\n')
  const decoded = sent.replace(/%([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  return sent.includes(id) || decoded.includes(id)
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
