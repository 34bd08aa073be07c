/** The store goes away and comes back, and processes die in the middle of their work. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionData } from 'express-session'
import { handshakeSession } from 'handshake-session'
import type { Socket } from 'socket.io-client'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type App, ask, connect, idOf, next, startApp } from '../support/app.js'
import { read } from '../support/other-program.js'
import { type Service, startRedis } from '../support/services.js'
import { type OpenStore, openRedis } from '../support/stores.js'

/** A Redis that may be killed, and a store on it. */
async function startOwnRedis(): Promise<{ redis: Service; opened: OpenStore }> {
  const redis = await startRedis({ own: true })
  const opened = await openRedis(redis.url)
  onTestFinished(() => opened.close().then(() => redis.stop()))
  return { redis, opened }
}

async function connectMany(app: App, cookies: string[], each: number): Promise<Socket[]> {
  const clients: Socket[] = []
  for (const cookie of cookies) {
    const batch = Array.from({ length: each }, () => connect(app.url, cookie, { transports: ['websocket'] }))
    await Promise.all(batch.map((client) => next(client, 'connect')))
    clients.push(...batch)
  }
  return clients
}

test('Redis stopped for 10 s under 1 000 sockets: nobody is let in unchecked or thrown out, and all works afterwards', async () => {
  const { redis, opened } = await startOwnRedis()
  const app = await startApp({ store: opened.store as never, timeout: 1_000, freshFor: 2_000, recheck: 3_000 })
  app.io.on('connection', (socket) => socket.on('read', (answer) => answer(socket.handshake.session.user)))
  const cookies: string[] = []
  for (let i = 0; i < 100; i++) cookies.push(await app.login())
  const clients = await connectMany(app, cookies, 10)
  await redis.kill()
  await sleep(2_000)
  for (const cookie of [cookies[0] ?? '', cookies[99] ?? '']) {
    const refused = await next(connect(app.url, cookie), 'connect_error')
    expect(refused).toMatchObject({ data: { code: expect.stringMatching(/^ERR_SESSION_(STORE|TIMEOUT)$/) } })
  }
  await sleep(8_000)
  expect(clients.filter(({ connected }) => connected)).toHaveLength(1_000)
  await redis.restart()
  await vi.waitFor(() => app.get('/session', cookies[0] ?? ''), 10_000)
  for (const client of [clients[0], clients[999]]) expect(await ask(client as Socket, 'read')).toBe('ann')
  const closed = next(clients[0] as Socket, 'disconnect')
  const other = await openRedis(redis.url)
  await new Promise((done) => other.store.destroy(idOf(cookies[0] ?? ''), done))
  await other.close()
  await closed
}, 120_000)

const record = { cookie: { originalMaxAge: null }, user: 'ann' } as unknown as SessionData

/** Processes that increment one counter at once; each begins when it is sent a message. */
async function startUpdaters(engine: string, processes: number, url: string, count: number): Promise<ChildProcess[]> {
  const given = JSON.stringify({ engine, url, id: 'the-session', count, together: 1 })
  const children = Array.from({ length: processes }, () => fork(join(import.meta.dirname, 'updater.mjs'), [given]))
  await Promise.all(children.map((child) => once(child, 'message')))
  return children
}

async function countOf({ store }: OpenStore): Promise<number> {
  return (await read(store, 'the-session'))?.count ?? 0
}

test.each(['node-redis', 'ioredis'])(
  'Redis killed and restarted in the middle, %s: every acknowledged update is there, none twice',
  async (engine) => {
    const { redis, opened } = await startOwnRedis()
    await new Promise((done) => opened.store.set('the-session', record, done))
    const updaters = await startUpdaters(engine, 4, redis.url, 500)
    const outcomes = updaters.map((child) => once(child, 'message') as Promise<[{ done: number; failed: number }]>)
    for (const child of updaters) child.send('go')
    await vi.waitFor(async () => expect(await countOf(opened)).toBeGreaterThan(50), 30_000)
    await redis.kill()
    await redis.restart()
    const sums = (await Promise.all(outcomes)).map(([outcome]) => outcome)
    const done = sums.reduce((sum, outcome) => sum + outcome.done, 0)
    const failed = sums.reduce((sum, outcome) => sum + outcome.failed, 0)
    expect(done + failed).toBe(2_000)
    expect(done).toBeGreaterThan(50)
    const count = await vi.waitFor(() => countOf(opened), 10_000)
    expect(count).toBeGreaterThanOrEqual(done)
    expect(count).toBeLessThanOrEqual(done + failed)
  },
  120_000,
)

test('a node killed in the middle of 1 000 updates leaves no half-written record and no lock', async () => {
  const { redis, opened } = await startOwnRedis()
  await new Promise((done) => opened.store.set('the-session', record, done))
  const [updater] = await startUpdaters('node-redis', 1, redis.url, 1_000)
  updater?.send('go')
  await vi.waitFor(async () => expect(await countOf(opened)).toBeGreaterThan(10), 30_000)
  const exited = once(updater as ChildProcess, 'exit')
  updater?.kill('SIGKILL')
  await exited
  const count = await countOf(opened)
  const sessions = handshakeSession({ store: opened.store, secret: 'keyboard cat', timeout: 5_000 })
  expect(await sessions.update('the-session', (s) => (s.count = (s.count ?? 0) + 1))).toBe(count + 1)
  expect(await read(opened.store, 'the-session')).toMatchObject({ user: 'ann', count: count + 1 })
  sessions.close()
}, 60_000)
