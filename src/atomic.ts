/**
 * Compare-and-set, where a store can do it: a write that happens only if the record is still the one that was read. With
 * it, work on a session is atomic across processes. Known here: connect-redis, express-mysql-session and
 * connect-pg-simple, each by its own key, table, serializer and expiry; any other store can implement `AtomicStore`.
 */
import type { SessionData } from 'express-session'
import { expiryOf, type StoreLike } from './store'

/** A record, and what tells whether it was written since. */
export interface Versioned {
  record: unknown
  /** Opaque; goes back to `setVersioned` as it came. */
  version: unknown
}

/** What a store implements to be atomic across processes. Both methods reject when the store fails. */
export interface AtomicStore {
  /** The record now; undefined for an unknown or expired id, as with `get`. */
  getVersioned(id: string): Promise<Versioned | undefined>
  /**
   * As `set`, but only if the record still has this version. MUST be one atomic step in the store.
   * @returns whether it was written; false if the record is another by now, or gone
   */
  setVersioned(id: string, session: SessionData, version: unknown): Promise<boolean>
}

/** The store's compare-and-set; `redis` is the client of a connect-redis that hides it (7 and 8). */
export function atomicOf(store: StoreLike, redis?: RedisLike): AtomicStore | undefined {
  if (isAtomic(store)) return store
  if (!isUnmodified(store)) return undefined
  const given = store as unknown
  if (isConnectRedis(given)) return atomicRedis(given, redis ?? given.client)
  if (isMySQLStore(given)) return atomicMySQL(given)
  if (isPGStore(given)) return atomicPG(given)
  return undefined
}

function isAtomic(store: object): store is AtomicStore {
  const { getVersioned, setVersioned } = store as Partial<AtomicStore>
  return typeof getVersioned === 'function' && typeof setVersioned === 'function'
}

/** Whether `get` and `set` are the store's own: a subclass or wrapper that encrypts, say, must not be passed by. */
function isUnmodified(store: StoreLike): boolean {
  const owners = (['get', 'set', 'destroy'] as const).map((method) => ownerOf(store, method))
  const [owner] = owners
  return owner !== store && owners.every((each) => each === owner) && !('get' in Object(Object.getPrototypeOf(owner)))
}

function ownerOf(store: object, method: string): object | null {
  let owner: object | null = store
  while (owner && !Object.hasOwn(owner, method)) owner = Object.getPrototypeOf(owner)
  return owner
}

/** A client of `redis` (node-redis, 4 and later) or of `ioredis`. */
export interface RedisLike {
  get(key: string): Promise<string | null>
  eval(script: string, ...args: never[]): Promise<unknown>
  /** Of ioredis: how often it has connected. */
  readonly connectionEpoch?: number
}

interface ConnectRedis {
  client: Partial<RedisLike>
  prefix: string
  serializer: { parse(text: string): unknown; stringify(value: unknown): string }
  disableTTL: boolean
  /** Seconds, for sessions without an expiry. */
  ttl: number | ((session: SessionData) => number)
}

function isConnectRedis(store: unknown): store is ConnectRedis {
  const { client, prefix, serializer, disableTTL } = store as Partial<ConnectRedis>
  return Boolean(client && serializer) && typeof prefix === 'string' && typeof disableTTL === 'boolean'
}

/** KEYS: the session. ARGV: the text expected there, the new text, seconds to live (0: for ever). */
const compareAndSet = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == '0' then redis.call('set', KEYS[1], ARGV[2])
else redis.call('set', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
return 1`

function atomicRedis(store: ConnectRedis, client: Partial<RedisLike>): AtomicStore | undefined {
  if (typeof client.eval !== 'function') return undefined
  const redis = client as RedisLike
  return {
    async getVersioned(id) {
      const text = await redis.get(store.prefix + id)
      return text === null ? undefined : { record: await store.serializer.parse(text), version: text }
    },
    async setVersioned(id, session, version) {
      const args = [String(version), store.serializer.stringify(session), String(secondsToLive(store, session))]
      const { connectionEpoch } = redis
      const written = (await run(redis, store.prefix + id, args)) === 1
      // ioredis sends a script again whose answer was lost with the connection: then our own first write stands in its way.
      if (!written && redis.connectionEpoch !== connectionEpoch) {
        throw new Error('the connection was lost during the write, and it is not known whether it happened')
      }
      return written
    },
  }
}

/** As connect-redis reckons it. */
function secondsToLive({ disableTTL, ttl }: ConnectRedis, session: SessionData): number {
  if (disableTTL) return 0
  const expires = expiryOf(session.cookie)
  const seconds = typeof ttl === 'function' ? ttl(session) : expires ? (expires - Date.now()) / 1000 : ttl
  return Math.max(1, Math.ceil(seconds))
}

/** The two clients differ in how they take a script's keys and arguments; only ioredis has `defineCommand`. */
function run(redis: RedisLike, key: string, args: string[]): Promise<unknown> {
  const params = 'defineCommand' in redis ? [1, key, ...args] : [{ keys: [key], arguments: args }]
  return redis.eval(compareAndSet, ...(params as never[]))
}

interface MySQLStore {
  options: {
    expiration: number
    schema: { tableName: string; columnNames: { session_id: string; expires: string; data: string } }
  }
  query(sql: string, params: unknown[]): Promise<[unknown]>
}

function isMySQLStore(store: unknown): store is MySQLStore {
  const { options, query } = store as Partial<MySQLStore>
  return typeof query === 'function' && Boolean(options?.schema?.columnNames?.session_id)
}

function atomicMySQL(store: MySQLStore): AtomicStore {
  const { schema, expiration } = store.options
  const { session_id, expires, data } = schema.columnNames
  return {
    async getVersioned(id) {
      const sql = 'SELECT ?? AS data FROM ?? WHERE ?? = ? AND ?? >= ?'
      const params = [data, schema.tableName, session_id, id, expires, Math.round(Date.now() / 1000)]
      const [rows] = await store.query(sql, params)
      const [row] = rows as { data: unknown }[]
      return typeof row?.data === 'string' ? { record: JSON.parse(row.data), version: row.data } : undefined
    },
    async setVersioned(id, session, version) {
      const until = Math.round((expiryOf(session.cookie) ?? Date.now() + expiration) / 1000)
      const sql = 'UPDATE ?? SET ?? = ?, ?? = ? WHERE ?? = ? AND BINARY ?? = ?'
      const [result] = await store.query(sql, [
        ...[schema.tableName, expires, until, data, JSON.stringify(session)],
        ...[session_id, id, data, version],
      ])
      return (result as { affectedRows: number }).affectedRows === 1
    },
  }
}

interface PGStore {
  ttl?: number
  quotedTable(): string
  query(sql: string, params: unknown[], callback: (error: unknown, row?: { text?: string }) => void): void
}

function isPGStore(store: unknown): store is PGStore {
  const { quotedTable, query } = store as Partial<PGStore>
  return typeof quotedTable === 'function' && typeof query === 'function'
}

/** A column of type `json` keeps its text, one of type `jsonb` writes it always the same way. */
function atomicPG(store: PGStore): AtomicStore {
  const query = (sql: string, params: unknown[]) =>
    new Promise<{ text?: string } | undefined>((resolve, reject) => {
      store.query(sql, params, (error, row) => (error ? reject(error) : resolve(row)))
    })
  return {
    async getVersioned(id) {
      const row = await query(
        `SELECT sess::text AS text FROM ${store.quotedTable()} WHERE sid = $1 AND expire >= to_timestamp($2)`,
        [id, Date.now() / 1000],
      )
      return row?.text ? { record: JSON.parse(row.text), version: row.text } : undefined
    },
    async setVersioned(id, session, version) {
      const until = Math.ceil((expiryOf(session.cookie) ?? Date.now() + (store.ttl || 86_400) * 1000) / 1000)
      const row = await query(
        `UPDATE ${store.quotedTable()} SET sess = $1, expire = to_timestamp($2) WHERE sid = $3 AND sess::text = $4 RETURNING sid`,
        [session, until, id, version],
      )
      return row !== undefined
    },
  }
}
