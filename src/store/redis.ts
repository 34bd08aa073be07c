/** Compare-and-set for connect-redis 7 to 9: a script that compares the text. */
import type { SessionData } from 'express-session'
import { type AtomicStore, expiryOf } from './record'

/** A client of `redis` (node-redis, 4 and later) or of `ioredis`. */
export interface RedisLike {
  get(key: string): Promise<string | null>
  eval(script: string, ...args: never[]): Promise<unknown>
}

/** How often an ioredis has connected, which its types do not tell. */
function connections(redis: object): unknown {
  return (redis as { connectionEpoch?: unknown }).connectionEpoch
}

export interface ConnectRedis {
  client: Partial<RedisLike>
  prefix: string
  serializer: { parse(text: string): unknown; stringify(value: unknown): string }
  disableTTL: boolean
  /** Seconds, for sessions without an expiry. */
  ttl: number | ((session: SessionData) => number)
}

export function isConnectRedis(store: unknown): store is ConnectRedis {
  const { client, prefix, serializer, disableTTL } = store as Partial<ConnectRedis>
  return Boolean(client && serializer) && typeof prefix === 'string' && typeof disableTTL === 'boolean'
}

/** KEYS: the session. ARGV: the text expected there, the new text, seconds to live (0: for ever). */
const compareAndSet = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == '0' then redis.call('set', KEYS[1], ARGV[2])
else redis.call('set', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
return 1`

export function atomicRedis(store: ConnectRedis, client: Partial<RedisLike>): AtomicStore | undefined {
  if (typeof client.eval !== 'function') return undefined
  const redis = client as RedisLike
  return {
    async getVersioned(id) {
      const text = await redis.get(store.prefix + id)
      return text === null ? undefined : { record: await store.serializer.parse(text), version: text }
    },
    versionOf: (session) => store.serializer.stringify(session),
    async setVersioned(id, session, version) {
      const args = [String(version), store.serializer.stringify(session), String(secondsToLive(store, session))]
      const connected = connections(redis)
      const written = (await run(redis, store.prefix + id, args)) === 1
      // ioredis sends a script again whose answer was lost with the connection: then our own first write stands in its way.
      if (!written && connections(redis) !== connected) {
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
