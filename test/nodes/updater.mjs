// A process that increments one session's counter, on a store that others write as well, so many updates at a time: those that
// wait for each other are one write. argv[2]: { engine, url, id, count, together } as JSON. Sends { done, failed } when every update was answered.

import PGStore from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import { RedisStore as RedisStore8 } from 'connect-redis-8'
import MySQLStore from 'express-mysql-session'
import session from 'express-session'
import { handshakeSession } from 'handshake-session'
import { Redis } from 'ioredis'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { createClient } from 'redis'

const { engine, url, id, count, together = 20 } = JSON.parse(process.argv[2])

const engines = {
  'node-redis': async () => {
    const client = createClient({ url })
    client.on('error', () => {})
    await client.connect()
    return { store: new RedisStore({ client }) }
  },
  ioredis: async () => {
    const redis = new Redis(url)
    redis.on('error', () => {})
    return { store: new RedisStore8({ client: redis }), redis }
  },
  mysql: async () => ({ store: new (MySQLStore(session))({ createDatabaseTable: true }, mysql.createPool(url)) }),
  postgres: async () => ({
    store: new (PGStore(session))({ pool: new pg.Pool({ connectionString: url }), createTableIfMissing: true }),
  }),
}

const sessions = handshakeSession({ ...(await engines[engine]()), secret: 'keyboard cat' })
const outcome = { done: 0, failed: 0 }

async function increment() {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      await sessions.update(id, (s) => {
        s.count = (s.count ?? 0) + 1
      })
      outcome.done++
      return
    } catch (error) {
      if (error.code !== 'ERR_SESSION_CONFLICT') break
    }
  }
  outcome.failed++
}

process.send('ready')
process.once('message', async () => {
  let waiting = count
  const work = async () => {
    while (waiting-- > 0) await increment()
  }
  await Promise.all(Array.from({ length: together }, work))
  process.send(outcome)
  process.disconnect()
  process.exit()
})
