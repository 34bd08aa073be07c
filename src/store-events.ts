/**
 * Sees what others do on a store instance: express-session calls `set`, `touch`, `destroy` and `regenerate` on the very
 * object that the app passed to both sides, so watching that object needs no change in any route.
 */
import type { SessionRecord, StoreLike, StoreMethods } from './store'

export interface StoreListener {
  /** Somebody wrote this session, and the store has it. */
  saved(id: string, record: SessionRecord): void
  /** Whether `saved` is of interest for this id; asked first, because a copy costs. */
  wants(id: string): boolean
  /** Somebody ends this session: called before the store is. */
  destroying(id: string, reason: 'destroyed' | 'regenerated'): void
}

type Method = (...args: unknown[]) => unknown
type AnyStore = Record<string, Method | undefined>

/** @returns the store's own methods, and `restore`, which leaves the store as it was */
export function observeStore(target: StoreLike, listener: StoreListener): { methods: StoreMethods; restore(): void } {
  const store = target as unknown as AnyStore
  const regenerating = new Set<string>()
  const methods = ownMethods(store)
  const restores = [
    replace(store, 'set', (set) => (id, session, callback, ...rest) => {
      const record = listener.wants(String(id)) ? copy(session) : undefined
      return set(
        id,
        session,
        afterwards(callback, () => record && listener.saved(String(id), record)),
        ...rest,
      )
    }),
    replace(store, 'touch', (touch) => (id, session, callback, ...rest) => {
      const record = listener.wants(String(id)) ? copy(session) : undefined
      return touch(
        id,
        session,
        afterwards(callback, () => record && listener.saved(String(id), record)),
        ...rest,
      )
    }),
    replace(store, 'destroy', (destroy) => (id, ...rest) => {
      listener.destroying(String(id), regenerating.delete(String(id)) ? 'regenerated' : 'destroyed')
      return destroy(id, ...rest)
    }),
    replace(store, 'regenerate', (regenerate) => (request, ...rest) => {
      regenerating.add(String((request as { sessionID?: unknown }).sessionID))
      return regenerate(request, ...rest)
    }),
  ]
  const restore = () => {
    for (const undo of restores) undo()
  }
  return { methods, restore }
}

function ownMethods(store: AnyStore): StoreMethods {
  const { get, set, destroy, touch } = store
  const methods = {
    get: get?.bind(store),
    set: set?.bind(store),
    destroy: destroy?.bind(store),
    touch: touch?.bind(store),
  }
  return methods as unknown as StoreMethods
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

/** The callback, after `then` when there was no error. A store given no callback gets one all the same. */
function afterwards(callback: unknown, then: () => unknown): Method {
  return (error, ...rest) => {
    if (!error) then()
    return typeof callback === 'function' ? callback(error, ...rest) : undefined
  }
}

/** The session as the store will keep it: it may be changed between the call and the answer. */
function copy(session: unknown): SessionRecord | undefined {
  try {
    return JSON.parse(JSON.stringify(session)) as SessionRecord
  } catch {
    return undefined
  }
}
