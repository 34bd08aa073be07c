/**
 * The store of a context: the registry of its sessions, and its key documents. A key document `{ id, cookie }` lets a
 * client point to a session whose id it does not know, also from another server on the same store.
 */
import { randomUUID } from 'node:crypto'
import type { ExpressSession, StoreLike } from '../../src'
import { SessionRegistry } from '../../src/internals'
import { ask, checkTimeout } from '../answer'
import type { Context, Options } from './context'

const registries = new WeakMap<Context, { store: StoreLike; registry: SessionRegistry }>()

/** The registry of the context's store, joined when it is first needed; undefined as long as there is no store. */
export function registryOf(context: Context, { timeout }: Options): SessionRegistry | undefined {
  const store = context.session_store
  const known = registries.get(context)
  if (known?.store === store) return known?.registry
  leaveStore(context)
  if (!store) return undefined
  const registry = SessionRegistry.join(store, { timeout: checkTimeout(timeout) })
  registries.set(context, { store, registry })
  return registry
}

/** Gives the store back as it was. */
export function leaveStore(context: Context): void {
  registries.get(context)?.registry.leave()
  registries.delete(context)
}

/**
 * The id of the session that the key stands for, if it stands for one. Some stores write a session's own id into it: that
 * is no key. @throws what the store says
 */
export async function readKey(store: StoreLike, key: string, { timeout }: Options): Promise<string | undefined> {
  const [error, document] = await ask<[unknown, unknown?]>('the session store', checkTimeout(timeout), (answer) =>
    store.get(key, (...result) => answer(...result)),
  )
  if (error && (error as { code?: unknown }).code !== 'ENOENT') throw error
  const { id, cookie = {} } = Object(error ? undefined : document) as { id?: unknown; cookie?: object }
  const isKey = typeof id === 'string' && id !== key && Object.keys(cookie).length === 0
  return isKey ? id : undefined
}

/** A new key for the session. @throws what the store says */
export async function mintKey(store: StoreLike, session: ExpressSession, options: Options): Promise<string> {
  const key = randomUUID()
  await writeRecord(store, key, { id: session.id, cookie: cookieFor(session, options) }, options)
  return key
}

/** Writes what is no Express session. @throws what the store says */
export async function writeRecord(store: StoreLike, id: string, record: object, { timeout }: Options): Promise<void> {
  const [error] = await ask<[unknown?]>('the session store', checkTimeout(timeout), (answer) =>
    store.set(id, record as never, (...result) => answer(...result)),
  )
  if (error) throw error
}

/**
 * `{}` in the store, as it always was: that is how others know a key document. Stores that ask the cookie how long they
 * are to keep it learn when the session ends.
 */
function cookieFor({ cookie }: ExpressSession, { keyLifetime = 'session' }: Options): object {
  if (keyLifetime === 'store' || !cookie?.expires) return {}
  const { expires, maxAge, originalMaxAge } = cookie
  return Object.defineProperties(
    {},
    { expires: hidden(expires), maxAge: hidden(maxAge), originalMaxAge: hidden(originalMaxAge) },
  )
}

/** Read by name, but not written to JSON. */
function hidden(value: unknown): PropertyDescriptor {
  return { value, enumerable: false }
}
