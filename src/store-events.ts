/**
 * Sees what others do on a store instance, and may step in: express-session calls `set`, `touch`, `destroy`,
 * `regenerate` and `createSession` on the very object that the app passed to both sides, so watching that object needs
 * no change in any route.
 */
import { once } from 'node:events'
import { isMissing, isRecord, isThenable, type SessionRecord, type StoreLike, type StoreMethods } from './store'

export interface StoreListener {
  /** express-session made this `Session` object of a record of the store. */
  inflated(session: object): void
  /** Somebody saves a session: undefined lets the store do it, a promise is what happens instead. */
  saving(id: string, session: object, method: 'set' | 'touch'): Promise<void> | undefined
  /** Whether `saved` is of interest for this id; asked first, because a copy costs. */
  wants(id: string): boolean
  /** Somebody begins to write this session. @returns is to be called when the store has answered */
  writing(id: string): () => void
  /** Somebody wrote this session, and the store has it: this record, unless that was not wanted then, or is beyond JSON. */
  saved(id: string, record: SessionRecord | undefined): void
  /** Somebody extended this session: its cookie, and nothing else of what that one holds, is in the store. */
  touched(id: string, cookie: SessionRecord['cookie'] | undefined): void
  /** Somebody ends this session; called before the store is. `answered` is when the HTTP response is out. */
  end(id: string, reason: 'destroyed' | 'regenerated', answered?: Promise<unknown>): void
  /** The store has done it. */
  ended(id: string, reason: 'destroyed' | 'regenerated', answered?: Promise<unknown>): void
  /** The store could not destroy it, so it lives on. */
  survived(id: string): void
}

type Method = (...args: unknown[]) => unknown
type AnyStore = Record<string, Method | undefined>

/** @returns the store's own methods, and `restore`, which leaves the store as it was */
export function observeStore(target: StoreLike, listener: StoreListener): { methods: StoreMethods; restore(): void } {
  const store = target as unknown as AnyStore
  const methods = ownMethods(store)
  const regenerating = new Map<string, Promise<unknown> | undefined>()
  const write =
    (method: 'set' | 'touch') =>
    (original: Method): Method => {
      return (id, session, callback, ...rest) => {
        const instead = listener.saving(String(id), Object(session), method)
        if (instead) return answer(instead, callback)
        const { cookie } = Object(session) as { cookie?: unknown }
        const record = listener.wants(String(id)) ? copy(method === 'set' ? session : { cookie }) : undefined
        const answered = method === 'set' ? listener.writing(String(id)) : () => {}
        const written = (error: unknown) => {
          answered()
          if (error) return
          if (method === 'set') listener.saved(String(id), record)
          else listener.touched(String(id), record?.cookie)
        }
        return watched(callback, written, (done) => original(id, session, done, ...rest))
      }
    }
  const restores = [
    replace(store, 'set', write('set')),
    replace(store, 'touch', write('touch')),
    replace(store, 'createSession', (create) => (request, ...rest) => {
      const session = create(request, ...rest)
      listener.inflated(Object(session))
      return session
    }),
    replace(store, 'destroy', (destroy) => (id, callback, ...rest) => {
      const key = String(id)
      const news = [key, regenerating.has(key) ? 'regenerated' : 'destroyed', regenerating.get(key)] as const
      regenerating.delete(key)
      listener.end(...news)
      const destroyed = (error: unknown) =>
        error && !isMissing(error) ? listener.survived(key) : listener.ended(...news)
      return watched(callback, destroyed, (done) => destroy(id, done, ...rest))
    }),
    replace(store, 'regenerate', (regenerate) => (request, ...rest) => {
      regenerating.set(idOf(request), answered(request))
      return regenerate(request, ...rest)
    }),
  ]
  const restore = () => {
    for (const undo of restores) undo()
  }
  return { methods, restore }
}

function ownMethods(store: AnyStore): StoreMethods {
  const names = ['get', 'set', 'destroy', 'touch', 'createSession'] as const
  return Object.fromEntries(names.map((name) => [name, store[name]?.bind(store)])) as unknown as StoreMethods
}

/** Puts `wrap(original)` on the instance. Undone only while it is still there: somebody may have wrapped it again. */
function replace(store: AnyStore, name: string, wrap: (original: Method) => Method): () => void {
  const original = store[name]
  if (typeof original !== 'function') return () => {}
  const wasOwn = Object.hasOwn(store, name)
  const wrapped = wrap((...args) => original.apply(store, args))
  store[name] = wrapped
  return () => {
    if (store[name] !== wrapped) return
    if (wasOwn) store[name] = original
    else delete store[name]
  }
}

/** Answers as the store would have: by the callback, or by the promise. */
function answer(work: Promise<void>, callback: unknown): unknown {
  work.catch(() => {}) // Who gave no callback and awaits nothing does not want to know.
  if (typeof callback !== 'function') return work
  return work.then(
    () => process.nextTick(callback as Method, null),
    (error) => process.nextTick(callback as Method, error),
  )
}

/**
 * Calls a method of the store, and hears of its outcome, its first answer, before the caller does. A store given no
 * callback gets one all the same; if it returns a promise then, that tells the caller of the failure.
 */
function watched(callback: unknown, hear: (error: unknown) => void, call: (done: Method) => unknown): unknown {
  let failure: unknown
  let isHeard = false
  const answered = (error: unknown) => {
    if (!isHeard) hear(error)
    isHeard = true
  }
  let returned: unknown
  try {
    returned = call((error, ...rest) => {
      failure = error
      answered(error)
      return typeof callback === 'function' ? callback(error, ...rest) : undefined
    })
  } catch (error) {
    answered(error)
    throw error
  }
  if (isThenable(returned)) returned.then(undefined, answered)
  if (typeof callback === 'function' || !isThenable(returned)) return returned
  return returned.then((value) => {
    if (failure) throw failure
    return value
  })
}

/** The session as the store will keep it: it may be changed between the call and the answer. */
function copy(session: unknown): SessionRecord | undefined {
  try {
    const record: unknown = JSON.parse(JSON.stringify(session))
    return isRecord(record) ? record : undefined
  } catch {
    return undefined
  }
}

function idOf(request: unknown): string {
  return String((request as { sessionID?: unknown }).sessionID)
}

/** How long a response may keep the sockets of a regenerated session open, in ms. */
const longestAnswer = 5_000

type Response = NodeJS.EventEmitter & { writableFinished?: boolean; destroyed?: boolean }

/** When the response to an Express request is out, and the new cookie with it. */
function answered(request: unknown): Promise<unknown> | undefined {
  const { res: response } = request as { res?: Response }
  if (!response || response.writableFinished || response.destroyed) return undefined
  return once(response, 'close', { signal: AbortSignal.timeout(longestAnswer) }).catch(() => {})
}
