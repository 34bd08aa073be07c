/** No lost write: saves carry over only what was changed, updates are atomic, and nothing brings a dead session back. */

import { EventEmitter, once } from 'node:events'
import session, { type SessionData } from 'express-session'
import type { Socket } from 'socket.io-client'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ask, idOf, pair, startApp } from './support/app.js'
import { CountingStore } from './support/counting-store.js'
import { later } from './support/later.js'
import { otherProgram, read, write } from './support/other-program.js'
import { startRedis } from './support/services.js'
import { SlowStore } from './support/slow-store.js'
import { openRedis } from './support/stores.js'

test('save() writes only the keys that were changed here, onto what the store holds now', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  await write(otherProgram(app.store), idOf(cookie), 'theme', 'dark')
  socket.handshake.session.count = 1
  await new Promise((saved) => socket.handshake.session.save(saved))
  expect(await app.get('/session', cookie)).toMatchObject({ user: 'ann', theme: 'dark', count: 1 })
})

test('a key deleted here is deleted there, a key deleted there is deleted here', async () => {
  const app = await startApp()
  const cookie = await app.login()
  await app.get('/set/theme/dark', cookie)
  await app.get('/set/size/big', cookie)
  const { socket } = await pair(app, cookie)
  await write(otherProgram(app.store), idOf(cookie), 'theme', undefined)
  delete socket.handshake.session['size']
  await new Promise((saved) => socket.handshake.session.save(saved))
  expect(socket.handshake.session).not.toHaveProperty('theme')
  expect(await app.get('/session', cookie)).not.toHaveProperty('size')
})

test('save() without a change costs no store call: at first, after a save, and after a touch', async () => {
  const store = new CountingStore()
  const app = await startApp({ store, session: { cookie: { maxAge: 60_000 } } })
  app.io.on('connection', (socket) => socket.on('work', (answer) => answer()))
  const cookie = await app.login()
  const { client, socket } = await pair(app, cookie)
  const saveUnchanged = async (session: typeof socket.handshake.session) => {
    store.reset()
    await new Promise((saved) => session.save(saved))
    expect(store.calls).toEqual({ get: 0, set: 0, touch: 0, destroy: 0 })
  }
  await saveUnchanged(socket.handshake.session)
  for (const session of [socket.handshake.session, await app.sessions.load({ headers: { cookie } })]) {
    session.count = Math.random()
    await new Promise((saved) => session.save(saved))
    await saveUnchanged(session)
  }
  const now = later(30_000)
  await ask(client, 'work')
  await vi.waitFor(() => expect(store.calls.touch).toBe(1))
  await saveUnchanged(socket.handshake.session)
  now()
})

test('a burst of 20 changes, each saved, is one read and one write, and each is in the store when its callback runs', async () => {
  const store = new CountingStore()
  const app = await startApp({ store })
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  const { session } = socket.handshake
  store.reset()
  const stored = () =>
    JSON.parse((store as unknown as { sessions: Record<string, string> }).sessions[idOf(cookie)] ?? '')
  const change = (count: number) =>
    new Promise<void>((done) => {
      session.count = count
      session.save((error) => {
        expect(error).toBe(null)
        expect(stored().count).toBeGreaterThanOrEqual(count)
        done()
      })
    })
  await Promise.all(Array.from({ length: 20 }, (_, i) => change(i + 1)))
  expect(store.calls).toEqual({ get: 1, set: 1, touch: 0, destroy: 0 })
})

test('saves that wait for a turn that never comes are given up, and the next one writes', async () => {
  const app = await startApp({ timeout: 50 })
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  const { session } = socket.handshake
  const save = () => new Promise((saved) => session.save(saved))
  const doings = new EventEmitter()
  const busy = app.sessions.update(socket, () => {
    doings.emit('begun')
    return once(doings, 'finish')
  })
  await once(doings, 'begun')
  session.count = 1
  for (const error of await Promise.all([save(), save()])) expect(error).toMatchObject({ code: 'ERR_SESSION_CONFLICT' })
  doings.emit('finish')
  await busy
  expect(await save()).toBe(null)
  expect(await app.get('/session', cookie)).toMatchObject({ count: 1 })
})

test('a session that was loaded, not connected, is saved like any other, and twice', async () => {
  const store = new CountingStore()
  const app = await startApp({ store })
  const session = await app.sessions.load({ headers: { cookie: await app.login() } })
  session.count = 1
  await new Promise((saved) => session.save(saved))
  store.reset()
  await new Promise((saved) => session.save(saved))
  expect(store.calls.set).toBe(0)
})

test('50 parallel updates over two sockets make 50', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const tabs = [await pair(app, cookie), await pair(app, cookie)]
  const increments = Array.from({ length: 50 }, (_, i) =>
    app.sessions.update(tabs[i % 2]?.socket ?? expect.unreachable(), async (s) => {
      const { count = 0 } = s
      await new Promise(setImmediate)
      s.count = count + 1
    }),
  )
  await Promise.all(increments)
  expect(tabs[0]?.socket.handshake.session.count).toBe(50)
  expect(await app.get('/session', cookie)).toMatchObject({ count: 50 })
})

test('updates of one session are done one after another, in the order in which they were asked for', async () => {
  const app = await startApp()
  const id = idOf(await app.login())
  const order: string[] = []
  const update = (name: string) =>
    app.sessions.update(id, async () => {
      order.push(`${name} begins`)
      await new Promise(setImmediate)
      order.push(`${name} ends`)
    })
  await Promise.all(['first', 'second'].map(update))
  expect(order).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
})

test('update by id, without any socket', async () => {
  const app = await startApp()
  const cookie = await app.login()
  expect(await app.sessions.update(idOf(cookie), (s) => (s.count = 7))).toBe(7)
  expect(await app.get('/session', cookie)).toMatchObject({ count: 7 })
})

test('an update that was overtaken by another writer runs again, on what that one wrote', async () => {
  const app = await startApp()
  const cookie = await app.login()
  let runs = 0
  await app.sessions.update(idOf(cookie), async (s) => {
    if (++runs === 1) await write(otherProgram(app.store), idOf(cookie), 'count', 10)
    s.count = (s.count ?? 0) + 1
  })
  expect(runs).toBe(2)
  expect(await app.get('/session', cookie)).toMatchObject({ count: 11 })
})

test('an update that was overtaken by another writer of the very same value runs again, too', async () => {
  const app = await startApp()
  const cookie = await app.login()
  let runs = 0
  await app.sessions.update(idOf(cookie), async (s) => {
    if (++runs === 1) await write(otherProgram(app.store), idOf(cookie), 'count', 1)
    s.count = (s.count ?? 0) + 1
  })
  expect(await app.get('/session', cookie)).toMatchObject({ count: 2 })
})

test('an update that is overtaken again and again gives up with ERR_SESSION_CONFLICT', async () => {
  const app = await startApp()
  const cookie = await app.login()
  let rival = 0
  const update = app.sessions.update(idOf(cookie), async (s) => {
    await write(otherProgram(app.store), idOf(cookie), 'count', ++rival)
    s.count = -1
  })
  await expect(update).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' })
})

test('an update that fails leaves nothing behind', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  const update = app.sessions.update(socket, (s) => {
    s.count = 1
    throw new Error('changed my mind')
  })
  await expect(update).rejects.toThrow('changed my mind')
  expect(socket.handshake.session).not.toHaveProperty('count')
  await app.sessions.update(socket, (s) => (s.user = 'bob'))
  expect(await app.get('/session', cookie)).not.toHaveProperty('count')
})

test('an update awaited inside another of the same session fails, and neither hangs', async () => {
  const app = await startApp({ timeout: 100 })
  const cookie = await app.login()
  const update = app.sessions.update(idOf(cookie), async (s) => {
    s.count = 1
    await app.sessions.update(idOf(cookie), (inner) => (inner.count = 2))
  })
  await expect(update).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' })
  expect(await app.sessions.update(idOf(cookie), (s) => s.count)).toBeUndefined()
})

test('save() on the session of an update is done when the update is', async () => {
  const app = await startApp({ timeout: 100 })
  const cookie = await app.login()
  await app.sessions.update(idOf(cookie), async (s) => {
    s.count = 1
    expect(await new Promise((saved) => s.save(saved))).toBe(null)
  })
  expect(await app.get('/session', cookie)).toMatchObject({ count: 1 })
})

test('a save extends the session, as one of express-session does', async () => {
  const app = await startApp({ session: { cookie: { maxAge: 60_000 } } })
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30_000 })
  onTestFinished(() => void vi.useRealTimers())
  socket.handshake.session.count = 1
  await new Promise((saved) => socket.handshake.session.save(saved))
  const expires = new Date(String((await read(app.store, idOf(cookie)))?.cookie.expires)).getTime()
  expect(expires - Date.now()).toBeGreaterThan(50_000)
})

test('what an update carries over from the socket counts as saved there, and is not written again over it', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  const { session } = socket.handshake
  session.count = 1
  await app.sessions.update(socket, (s) => (s.count = (s.count ?? 0) + 1))
  expect(session.count).toBe(2)
  session.items = ['pen']
  await new Promise((saved) => session.save(saved))
  expect(await app.get('/session', cookie)).toMatchObject({ count: 2, items: ['pen'] })
})

test('an HTTP save that lands between the read and the write of a socket’s save is kept', async () => {
  const store = new SlowStore()
  const app = await startApp({ store })
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  const release = store.slowDown()
  store.reset()
  socket.handshake.session.count = 1
  const saved = new Promise((done) => socket.handshake.session.save(done))
  await vi.waitFor(() => expect(store.calls.get).toBe(1))
  await app.get('/set/theme/dark', cookie)
  release()
  await saved
  expect(await app.get('/session', cookie)).toMatchObject({ theme: 'dark', count: 1 })
})

test('a session that was created in a slow request is not brought back by its later save', async () => {
  const app = await startApp()
  app.express.get('/early', (req, res) => {
    req.session.user = 'ann'
    req.session.save(async () => {
      await app.sessions.revoke(req.sessionID)
      req.session.count = 1
      res.json(req.sessionID)
    })
  })
  const id = (await app.get('/early', '')) as string
  expect(await read(app.store, id)).toBeUndefined()
})

test('after a logout neither a loaded session nor an update in the time of the response can write', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const loaded = await app.sessions.load({ headers: { cookie } })
  await app.get('/logout', cookie)
  loaded.count = 1
  expect(await new Promise((saved) => loaded.save(saved))).toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
})

test('a change of the cookie that is not saved yet outlives an update, and goes with the next save', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  const { session } = socket.handshake
  vi.useFakeTimers({ toFake: ['Date'] }) // express-session's own setter loses a millisecond that passes in it.
  onTestFinished(() => void vi.useRealTimers())
  session.cookie.maxAge = 5_000
  await app.sessions.update(socket, (s) => {
    s.count = 1
  })
  expect((await read(app.store, idOf(cookie)))?.cookie.originalMaxAge).toBeNull()
  await new Promise((saved) => session.save(saved))
  expect((await read(app.store, idOf(cookie)))?.cookie.originalMaxAge).toBe(5_000)
})

test('update sees what was changed on the socket and is not saved yet, and writes it', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  socket.handshake.session.count = 1
  await app.sessions.update(socket, (s) => (s.count = (s.count ?? 0) + 1))
  expect(await app.get('/session', cookie)).toMatchObject({ count: 2 })
})

test.each([['save', 'a change']])(
  'after the session was destroyed, %s says ERR_SESSION_NOT_FOUND and writes nothing',
  async () => {
    const app = await startApp()
    const cookie = await app.login()
    const { socket } = await pair(app, cookie)
    await app.get('/logout', cookie)
    socket.handshake.session.count = 1
    const error = await new Promise((saved) => socket.handshake.session.save(saved))
    expect(error).toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
    const update = app.sessions.update(socket, (s) => (s.count = 1))
    await expect(update).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
    await expect(app.sessions.update(idOf(cookie), () => {})).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
    expect(await read(app.store, idOf(cookie))).toBeUndefined()
  },
)

test('a slow HTTP request that saves after the logout does not bring the session back', async () => {
  const store = new CountingStore()
  const app = await startApp({ store })
  const started = new Promise<void>((resolve) => {
    app.express.get('/slow', async (req, res) => {
      resolve()
      await finish
      req.session.count = 1
      res.json(req.session)
    })
  })
  let proceed = () => {}
  const finish = new Promise<void>((resolve) => {
    proceed = resolve
  })
  const cookie = await app.login()
  const slow = app.get('/slow', cookie)
  await started
  await app.get('/logout', cookie)
  store.reset()
  proceed()
  await slow
  expect(store.calls.set).toBe(0)
  expect(await read(app.store, idOf(cookie))).toBeUndefined()
})

describe.each([true, false])('mergeHttpSaves: %s', (mergeHttpSaves) => {
  test(`a slow HTTP request ${mergeHttpSaves ? 'keeps' : 'overwrites'} what sockets wrote while it ran`, async () => {
    const app = await startApp({ mergeHttpSaves })
    const cookie = await app.login()
    app.express.get('/slow', async (req, res) => {
      await app.sessions.update(req.sessionID, (s) => (s.count = 5))
      req.session.items = ['from HTTP']
      res.json(req.session)
    })
    await app.get('/slow', cookie)
    const stored = (await app.get('/session', cookie)) as SessionData
    expect(stored.items).toEqual(['from HTTP'])
    expect(stored.count).toBe(mergeHttpSaves ? 5 : undefined)
  })
})

test.each(['MemoryStore', 'Redis'])(
  '10 000 mixed operations lose none, on %s',
  async (engine) => {
    const store = engine === 'Redis' ? await redisStore() : new session.MemoryStore()
    const app = await startApp({ store, mergeHttpSaves: true })
    app.io.on('connection', (socket) => {
      socket.on('update', (answer) => app.sessions.update(socket, (s) => (s.count = (s.count ?? 0) + 1)).then(answer))
      socket.on('save', (key, answer) => {
        socket.handshake.session[key] = true
        socket.handshake.session.save((error) => answer(error ?? null))
      })
    })
    const cookies = await Promise.all(Array.from({ length: 40 }, () => app.login()))
    const clients: { client: Socket }[][] = []
    for (const cookie of cookies) clients.push([await pair(app, cookie), await pair(app, cookie)])
    const operations = Array.from({ length: 10_000 }, (_, i) => {
      const [cookie, tabs] = [cookies[i % 40] as string, clients[i % 40]]
      const { client } = tabs?.[i % 2] ?? expect.unreachable()
      const kind = Math.floor(i / 40) % 10
      if (kind === 0) return () => app.get(`/set/http${i}/1`, cookie)
      return kind < 5 ? () => ask(client, 'update') : () => ask(client, 'save', `socket${i}`)
    })
    await inParallel(operations, 200)
    for (const cookie of cookies) {
      const stored = (await read(app.store, idOf(cookie))) as SessionData
      expect(stored.count).toBe(100)
      expect(Object.keys(stored).filter((key) => key.startsWith('socket'))).toHaveLength(125)
      expect(Object.keys(stored).filter((key) => key.startsWith('http'))).toHaveLength(25)
    }
  },
  120_000,
)

async function redisStore(): Promise<session.Store> {
  const redis = await startRedis()
  const { store, close } = await openRedis(redis.url)
  onTestFinished(() => close().then(() => redis.stop()))
  return store
}

async function inParallel(operations: (() => Promise<unknown>)[], width: number): Promise<void> {
  const rest = operations.values()
  const worker = async () => {
    for (const operation of rest) await operation()
  }
  await Promise.all(Array.from({ length: width }, worker))
}
