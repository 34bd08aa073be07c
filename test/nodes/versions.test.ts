/** What is written tells its version, on the real engines: of updates in a row only the first reads, and none is refused. */
import connectPg from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import { RedisStore as RedisStore8 } from 'connect-redis-8'
import session, { type SessionData } from 'express-session'
import { type HandshakeSessionOptions, handshakeSession } from 'handshake-session'
import { Redis } from 'ioredis'
import pg from 'pg'
import { createClient } from 'redis'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { secret } from '../support/app.js'
import { read } from '../support/other-program.js'
import { startMariaDB, startPostgres, startRedis } from '../support/services.js'
import { openMySQL } from '../support/stores.js'

interface Opened {
  store: session.Store
  redis?: HandshakeSessionOptions['redis']
  close(): Promise<unknown>
}

interface Engine {
  start(): Promise<{ url: string; stop(): Promise<void> }>
  open(url: string): Promise<Opened>
}

async function openNodeRedis(url: string, Store: typeof RedisStore | typeof RedisStore8): Promise<Opened> {
  const client = await createClient({ url }).connect()
  return { store: new Store({ client }), redis: client as never, close: () => client.close() }
}

async function openIORedis(url: string): Promise<Opened> {
  const redis = new Redis(url)
  return { store: new RedisStore8({ client: redis }), redis: redis as never, close: () => redis.quit() }
}

async function openPostgres(url: string, type: string): Promise<Opened> {
  const pool = new pg.Pool({ connectionString: url })
  pool.on('connect', (client) => client.on('error', () => {}))
  await pool.query(
    `CREATE TABLE session (sid varchar PRIMARY KEY, sess ${type} NOT NULL, expire timestamp(6) NOT NULL)`,
  )
  const store = new (connectPg(session))({ pool })
  return { store, close: () => Promise.resolve(store.close()).then(() => pool.end()) }
}

const engines: Record<string, Engine> = {
  'connect-redis 9': { start: startRedis, open: (url) => openNodeRedis(url, RedisStore) },
  'connect-redis 8': { start: startRedis, open: (url) => openNodeRedis(url, RedisStore8) },
  'connect-redis 8 on ioredis': { start: startRedis, open: openIORedis },
  'express-mysql-session': { start: startMariaDB, open: openMySQL },
  'connect-pg-simple': { start: startPostgres, open: (url) => openPostgres(url, 'json') },
  'connect-pg-simple, jsonb': { start: startPostgres, open: (url) => openPostgres(url, 'jsonb') },
}

/** Counts what is asked of the engine. */
function count({ store, redis }: Opened): { reads: number; writes: number } {
  const calls = { reads: 0, writes: 0 }
  const counts = (target: object, method: string, kind: (first: unknown) => 'reads' | 'writes') => {
    const original = (target as Record<string, (...args: unknown[]) => unknown>)[method]?.bind(target)
    vi.spyOn(target as Record<string, () => unknown>, method).mockImplementation((...args: unknown[]) => {
      calls[kind(args[0])]++
      return original?.(...args)
    })
  }
  if (redis) {
    counts(redis, 'get', () => 'reads')
    counts(redis, 'eval', () => 'writes')
  } else counts(store, 'query', (sql) => (/^SELECT/.test(String(sql)) ? 'reads' : 'writes'))
  return calls
}

describe.each(Object.entries(engines))('%s', (_name, { start, open }) => {
  test('three updates in a row are one read and three writes', async () => {
    const service = await start()
    const opened = await open(service.url)
    onTestFinished(async () => {
      await opened.close()
      await service.stop()
    })
    const cookie = { originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000), httpOnly: true, path: '/' }
    const record = { cookie, user: 'ann' } as unknown as SessionData
    await new Promise<void>((done, fail) => opened.store.set('id', record, (error) => (error ? fail(error) : done())))
    const calls = count(opened)
    const sessions = handshakeSession({ store: opened.store, redis: opened.redis, secret })
    onTestFinished(() => sessions.close())
    let runs = 0
    for (const text of ['ä “quoted” \\ 😀', 'b', 'c']) {
      await sessions.update('id', (s) => {
        runs++
        Object.assign(s, { zebra: { b: 1, a: [1.5, null] }, a: text })
      })
    }
    expect(runs).toBe(3)
    expect(calls).toEqual({ reads: 1, writes: 3 })
    expect(await read(opened.store, 'id')).toMatchObject({ user: 'ann', zebra: { b: 1, a: [1.5, null] }, a: 'c' })
  }, 600_000)
})
