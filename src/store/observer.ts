/**
 * Sees what others do on a store instance, and may step in: express-session calls `set`, `touch`, `destroy`,
 * `regenerate` and `createSession` on the very object that the app passed to both sides, so watching that object needs
 * no change in any route.
 */
import { once } from 'node:events'
import { isMissing, isThenable, type StoreLike, type StoreMethods } from './record'

/** To be called with what the store answered: nothing, or an error. */
export type Answered = (error?: unknown) => void

export interface StoreListener {
  /** express-session made this `Session` object of a record of the store. */
  created(session: object): void
  /** Somebody saves a session: undefined lets the store do it, a promise is what happens instead. */
  instead(id: string, session: object, method: 'set' | 'touch'): Promise<void> | undefined
  /** Somebody begins to write this session. */
  writing(id: string, session: object): Answered
  /** Somebody begins to extend this session: of all it holds, only the cookie gets into the store. */
  touching(id: string, session: object): Answered
  /** Somebody is about to end this session. `responded` is when the HTTP response is out. */
  destroying(id: string, reason: 'destroyed' | 'regenerated', responded?: Promise<unknown>): Answered
}

type Method = (...args: unknown[]) => unknown
/** Stands in for a method of the store, and is given that as well. */
type Wrapper = (original: Method, ...args: unknown[]) => unknown
type AnyStore = Record<string, Method | undefined>

/**
 * The session objects that a call of ours to a store has now. What the store itself does with them, a `set` that calls
 * `this.set` again for instance, is part of that call and no write of somebody else.
 */
const inOwnCall = new WeakSet<object>()

export async function asOwnCall<T>(session: object, call: () => Promise<T>): Promise<T> {
  inOwnCall.add(session)
  try {
    return await call()
  } finally {
    inOwnCall.delete(session)
  }
}

/** @returns the store's own methods, and `restore`, which leaves the store as it was */
export function observeStore(target: StoreLike, listener: StoreListener): { methods: StoreMethods; restore(): void } {
  const store = target as unknown as AnyStore
  const methods = ownMethods(store)
  const regenerating = new Map<string, Promise<unknown> | undefined>()
  const write = (method: 'set' | 'touch', begin: 'writing' | 'touching'): Wrapper => {
    return (original, id, session, callback, ...rest) => {
      if (inOwnCall.has(Object(session))) return original(id, session, callback, ...rest)
      const instead = listener.instead(String(id), Object(session), method)
      if (instead) return answer(instead, callback)
      const answered = listener[begin](String(id), Object(session))
      return watched(callback, answered, (done) => original(id, session, done, ...rest))
    }
  }
  const wrappers: Record<string, Wrapper> = {
    set: write('set', 'writing'),
    touch: write('touch', 'touching'),
    createSession(create, ...args) {
      const session = create(...args)
      listener.created(Object(session))
      return session
    },
    destroy(destroy, id, callback, ...rest) {
      const key = String(id)
      const reason = regenerating.has(key) ? 'regenerated' : 'destroyed'
      const answered = listener.destroying(key, reason, regenerating.get(key))
      regenerating.delete(key)
      const destroyed = (error: unknown) => answered(isMissing(error) ? undefined : error)
      return watched(callback, destroyed, (done) => destroy(id, done, ...rest))
    },
    regenerate(regenerate, request, ...rest) {
      regenerating.set(String((request as { sessionID?: unknown }).sessionID), responded(request))
      return regenerate(request, ...rest)
    },
  }
  const restores = Object.entries(wrappers).map(([name, wrap]) => replace(store, name, wrap))
  const restore = () => {
    for (const undo of restores) undo()
  }
  return { methods, restore }
}

/** `get` is not watched, so it is looked up when it is called: what an app puts around it later counts. */
function ownMethods(store: AnyStore): StoreMethods {
  const names = ['set', 'destroy', 'touch', 'createSession'] as const
  const bound = Object.fromEntries(names.map((name) => [name, store[name]?.bind(store)]))
  return { ...bound, get: (id: unknown, done: unknown) => store['get']?.(id, done) } as unknown as StoreMethods
}

/** Puts a wrapper on the instance. Undone only while it is still there: somebody may have wrapped it again. */
function replace(store: AnyStore, name: string, wrapper: Wrapper): () => void {
  const original = store[name]
  if (typeof original !== 'function') return () => {}
  const wasOwn = Object.hasOwn(store, name)
  const bound = original.bind(store)
  const wrapped: Method = (...args) => wrapper(bound, ...args)
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
  const tell = (error: unknown) => process.nextTick(callback as Method, error)
  return work.then(() => tell(null), tell)
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

/** How long a response may keep the sockets of a regenerated session open, in ms. */
const longestResponse = 5_000

type Response = NodeJS.EventEmitter & { writableFinished?: boolean; destroyed?: boolean }

/** When the response to an Express request is out, and the new cookie with it. */
function responded(request: unknown): Promise<unknown> | undefined {
  const { res: response } = request as { res?: Response }
  if (!response || response.writableFinished || response.destroyed) return undefined
  return once(response, 'close', { signal: AbortSignal.timeout(longestResponse) }).catch(() => {})
}
