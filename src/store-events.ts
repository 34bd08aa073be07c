/**
 * Sees what others do on a store instance, and may step in: express-session calls `set`, `touch`, `destroy`,
 * `regenerate` and `createSession` on the very object that the app passed to both sides, so watching that object needs
 * no change in any route.
 */
import { once } from 'node:events'
import { isRecord, type SessionRecord, type StoreLike, type StoreMethods } from './store'

export interface StoreListener {
  /** express-session made this `Session` object of a record of the store. */
  inflated(session: object): void
  /** Somebody saves a session: undefined lets the store do it, a promise is what happens instead. */
  saving(id: string, session: object, method: 'set' | 'touch'): Promise<void> | undefined
  /** Whether `saved` is of interest for this id; asked first, because a copy costs. */
  wants(id: string): boolean
  /** Somebody wrote this session, and the store has it. */
  changed(id: string): void
  /** Somebody wrote or touched this session, and the store has it: this record. */
  saved(id: string, record: SessionRecord): void
  /** Somebody ends this session; called before the store is. `answered` is when the HTTP response is out. */
  end(id: string, reason: 'destroyed' | 'regenerated', answered?: Promise<unknown>): void
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
        const record = listener.wants(String(id)) ? copy(session) : undefined
        const written = (error: unknown) => {
          if (error) return
          if (method === 'set') listener.changed(String(id))
          if (record) listener.saved(String(id), record)
        }
        return original(id, session, afterwards(callback, written), ...rest)
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
      const reason = regenerating.has(String(id)) ? 'regenerated' : 'destroyed'
      listener.end(String(id), reason, regenerating.get(String(id)))
      regenerating.delete(String(id))
      return destroy(
        id,
        afterwards(callback, (error) => error && listener.survived(String(id))),
        ...rest,
      )
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

function answer(work: Promise<void>, callback: unknown): void {
  const done = typeof callback === 'function' ? (callback as Method) : () => {}
  work.then(
    () => process.nextTick(done, null),
    (error) => process.nextTick(done, error),
  )
}

/** The callback, after `first`. A store given no callback gets one all the same. */
function afterwards(callback: unknown, first: (error: unknown) => unknown): Method {
  return (error, ...rest) => {
    first(error)
    return typeof callback === 'function' ? callback(error, ...rest) : undefined
  }
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

/** When the response to an Express request is out, and the new cookie with it. */
function answered(request: unknown): Promise<unknown> | undefined {
  const { res: response } = request as { res?: NodeJS.EventEmitter & { writableFinished?: boolean } }
  return response && !response.writableFinished ? once(response, 'close').catch(() => {}) : undefined
}
