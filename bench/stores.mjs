// The stores of the benchmark's servers; each counts what it is asked.
import { RedisStore } from 'connect-redis'
import session from 'express-session'
import { createClient } from 'redis'

class CountingStore extends session.MemoryStore {
  reads = 0
  writes = 0

  get(id, callback) {
    this.reads++
    super.get(id, callback)
  }

  set(id, record, callback) {
    this.writes++
    super.set(id, record, callback)
  }
}

/** In memory, or in the Redis at this address. @returns the store, and what it was asked since the process began */
export async function openStore(url) {
  if (url) return openRedis(url)
  const store = new CountingStore()
  return { store, counts: () => ({ reads: store.reads, writes: store.writes }) }
}

/** Each command of ours is a round trip; the server's own count would have those inside of scripts as well. */
async function openRedis(url) {
  const client = await createClient({ url }).connect()
  let trips = 0
  const counting = new Proxy(client, {
    get(target, name) {
      const value = target[name]
      if (typeof value !== 'function') return value
      return (...args) => {
        trips++
        return value.apply(target, args)
      }
    },
  })
  return { store: new RedisStore({ client: counting }), counts: () => ({ trips }) }
}
