/**
 * Finds a store's compare-and-set. Known here: connect-redis, express-mysql-session and connect-pg-simple, each by its
 * own key, table, serializer and expiry; any other store can implement `AtomicStore`.
 */
import type { AtomicStore, StoreLike } from './record'
import { atomicRedis, isConnectRedis, type RedisLike } from './redis'
import { atomicMySQL, atomicPostgreSQL, isMySQLStore, isPostgreSQLStore } from './sql'

/** The store's compare-and-set; `redis` is the client of a connect-redis that hides it (7 and 8). */
export function atomicOf(store: StoreLike, redis?: RedisLike): AtomicStore | undefined {
  if (isAtomic(store)) return store
  if (!isUnmodified(store)) return undefined
  const given = store as unknown
  if (isConnectRedis(given)) return atomicRedis(given, redis ?? given.client)
  if (isMySQLStore(given)) return atomicMySQL(given)
  return isPostgreSQLStore(given) ? atomicPostgreSQL(given) : undefined
}

function isAtomic(store: object): store is AtomicStore {
  const { getVersioned, setVersioned } = store as Partial<AtomicStore>
  return typeof getVersioned === 'function' && typeof setVersioned === 'function'
}

/** Whether `get` and `set` are the store's own: a subclass or wrapper that encrypts, say, must not be passed by. */
function isUnmodified(store: StoreLike): boolean {
  const [owner, ...others] = ['get', 'set', 'destroy'].map((method) => ownerOf(store, method))
  return owner !== store && others.every((each) => each === owner) && !('get' in Object(Object.getPrototypeOf(owner)))
}

function ownerOf(store: object, method: string): object | null {
  let owner: object | null = store
  while (owner && !Object.hasOwn(owner, method)) owner = Object.getPrototypeOf(owner)
  return owner
}
