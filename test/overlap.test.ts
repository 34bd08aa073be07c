/** Requests, sockets and other nodes that work on one session at the same time: what is on its way when another begins. */
import { EventEmitter } from 'node:events'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import type session from 'express-session'
import { handshakeSession } from 'handshake-session'
import type { Socket } from 'socket.io'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type App, type AppOptions, ask, hear, idOf, next, nextAsks, pair, secret, startApp } from './support/app.js'
import { CountingStore } from './support/counting-store.js'
import { FaultyStore } from './support/faulty-store.js'
import { otherProgram, read } from './support/other-program.js'
import { SlowStore } from './support/slow-store.js'

/** Its writes land when they are let. */
class HeldStore extends CountingStore {
  held: (() => void)[] | undefined

  /** And its answers. */
  answersHeld: (() => void)[] | undefined

  override set(...[id, session, callback]: Parameters<CountingStore['set']>): void {
    const content = JSON.parse(JSON.stringify(session))
    const answer = (error?: unknown) => {
      if (this.answersHeld) this.answersHeld.push(() => callback?.(error))
      else callback?.(error)
    }
    const land = () => super.set(id, content, answer)
    if (this.held) this.held.push(land)
    else land()
  }

  /** Lets what is held land in this order, and everything from now on. */
  land(order = [...(this.held ?? []).keys()]): void {
    const { held = [] } = this
    this.held = undefined
    for (const index of order) held[index]?.()
  }
}

async function start(options: AppOptions = {}) {
  const store = new HeldStore()
  const app = await startApp({ store, ...options })
  const cookie = await app.login()
  const holds = (count: number) => vi.waitFor(() => expect(store.held).toHaveLength(count))
  return { app, store, cookie, id: idOf(cookie), stored: () => read(store, idOf(cookie)), holds }
}

const work = {
  save: ({ handshake: { session } }: Socket) => {
    session.count = 1
    return new Promise((saved) => session.save(saved))
  },
  update: (socket: Socket, app: App) =>
    app.sessions.update(socket, (session) => {
      session.count = 1
    }),
}

describe.each(Object.entries(work))('%s of one key', (_name, change) => {
  test('waits for what a request writes, and so loses nothing of it', async () => {
    const { app, store, cookie, stored, holds } = await start()
    const { socket } = await pair(app, cookie)
    store.held = []
    const request = app.get('/set/theme/dark', cookie)
    await holds(1)
    const changing = change(socket, app)
    for (let turns = 0; turns < 20; turns++) await turn()
    expect(store.held).toHaveLength(1)
    store.land()
    await Promise.all([request, changing])
    expect(await stored()).toMatchObject({ theme: 'dark', count: 1 })
    expect(socket.handshake.session).toMatchObject({ theme: 'dark', count: 1 })
  })

  test.each([
    ['first', [1, 0]],
    ['last', [0, 1]],
  ])('is overtaken by a request whose write lands %s: what that writes next is seen', async (_when, order) => {
    const { app, store, cookie, stored, holds } = await start()
    const { client, socket } = await pair(app, cookie)
    socket.on('read', (answer) => answer(socket.handshake.session.theme))
    store.held = []
    const changing = change(socket, app)
    await holds(1)
    const request = app.get('/set/theme/dark', cookie)
    await holds(2)
    store.land(order)
    await Promise.all([changing, request])
    expect(await ask(client, 'read')).toBe((await stored())?.theme ?? null)
    await app.get('/set/theme/light', cookie)
    expect(await ask(client, 'read')).toBe('light')
    socket.handshake.session.items = ['pen']
    await new Promise((saved) => socket.handshake.session.save(saved))
    expect(await stored()).toMatchObject({ theme: 'light', items: ['pen'] })
  })
})

test('a request whose write the store never answers keeps nobody waiting for longer than `timeout`', async () => {
  const { app, store, cookie, id, stored, holds } = await start({ timeout: 50 })
  store.held = []
  const request = app.get('/set/theme/dark', cookie)
  await holds(1)
  const [land] = store.held
  store.held = undefined
  await app.sessions.update(id, (session) => {
    session.count = 1
  })
  expect(await stored()).toMatchObject({ count: 1 })
  land?.()
  await request
})

test('a request that writes while its session is destroyed does not bring it back', async () => {
  const { app, store, cookie, stored, holds } = await start()
  store.held = []
  const request = app.get('/set/theme/dark', cookie)
  await holds(1)
  await app.get('/logout', cookie)
  store.land()
  await request
  await expect.poll(stored).toBeUndefined()
})

test('an update by id does not bring back what another node destroys meanwhile', async () => {
  const { app, store, id, stored, holds } = await start()
  store.held = []
  const updating = app.sessions.update(id, (session) => {
    session.count = 1
  })
  await holds(1)
  hear(app, { ended: [[app.sessions.room(id), 'destroyed']] })
  store.land()
  await expect(updating).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
  expect(await stored()).toBeUndefined()
})

test('what a request writes when a client connects is there when it has', async () => {
  const { app, store, cookie, holds } = await start()
  store.held = []
  const request = app.get('/set/theme/dark', cookie)
  await holds(1)
  const asked = nextAsks(app)
  const connecting = pair(app, cookie)
  await asked
  store.land()
  await request
  const { client, socket } = await connecting
  socket.on('read', (answer) => answer(socket.handshake.session.theme))
  expect(await ask(client, 'read')).toBe('dark')
})

test('another node that writes all the time keeps no event waiting, and no handshake', async () => {
  class NewsStore extends CountingStore {
    onRead = () => {}

    override get(...args: Parameters<CountingStore['get']>): void {
      super.get(...args)
      this.onRead()
    }
  }
  const store = new NewsStore()
  const app = await startApp({ store, freshFor: 0 })
  const cookie = await app.login()
  const { client, socket } = await pair(app, cookie)
  socket.on('read', (answer) => answer(socket.handshake.session.user))
  store.onRead = () => process.nextTick(hear, app, { changed: [app.sessions.room(idOf(cookie))] })
  onTestFinished(() => {
    store.onRead = () => {}
  })
  expect(await ask(client, 'read')).toBe('ann')
  await pair(app, cookie)
})

test('what another node wrote is read before the next event, also when the store failed at first', async () => {
  const store = new FaultyStore()
  const failed = new EventEmitter()
  const app = await startApp({ store, onError: (error) => failed.emit('error-told', error) })
  const cookie = await app.login()
  const { client, socket } = await pair(app, cookie)
  socket.on('read', (answer) => answer(socket.handshake.session.theme))
  store.broken = { method: 'get', fault: 'fails with a string' }
  const told = next(failed as never, 'error-told')
  hear(app, { changed: [app.sessions.room(idOf(cookie))] })
  expect(await told).toMatchObject({ code: 'ERR_SESSION_STORE' })
  store.broken = undefined
  const theirs = otherProgram(store)
  const record = (await read(store, idOf(cookie))) as session.SessionData
  await new Promise((written) => theirs.set(idOf(cookie), { ...record, theme: 'dark' }, written))
  expect(await ask(client, 'read')).toBe('dark')
})

test('an event that comes after the news of a write sees that write, also when an older read is on its way', async () => {
  const store = new SlowStore()
  const app = await startApp({ store })
  const cookie = await app.login()
  const { client, socket } = await pair(app, cookie)
  socket.on('read', (answer) => answer(socket.handshake.session.theme))
  const theirs = otherProgram(store)
  const record = (await read(store, idOf(cookie))) as session.SessionData
  const write = async (theme: string) => {
    await new Promise((written) => theirs.set(idOf(cookie), { ...record, theme }, written))
    hear(app, { changed: [app.sessions.room(idOf(cookie))] })
  }
  const release = store.slowDown()
  await write('one')
  await write('two')
  const came = new Promise((event) => socket.onAny(event))
  const seen = ask(client, 'read')
  await came
  release()
  expect(await seen).toBe('two')
})

test('what lands last of two requests is seen, in whatever order the store answers', async () => {
  const { app, store, cookie, stored, holds } = await start()
  const { client, socket } = await pair(app, cookie)
  socket.on('read', (answer) => answer(socket.handshake.session.theme))
  store.answersHeld = []
  store.held = []
  const requests = [app.get('/set/theme/one', cookie), app.get('/set/theme/two', cookie)]
  await holds(2)
  store.land()
  await vi.waitFor(() => expect(store.answersHeld).toHaveLength(2))
  const [first, second] = store.answersHeld
  store.answersHeld = undefined
  second?.()
  first?.()
  await Promise.all(requests)
  expect(await ask(client, 'read')).toBe((await stored())?.theme)
})

test.each([
  [[0, 1], 'two'],
  [[1, 0], 'one'],
])(
  'of two requests that the store takes in the order %j the answer of the first is not believed',
  async (order, last) => {
    const { app, store, cookie, holds } = await start()
    const { client, socket } = await pair(app, cookie)
    socket.on('read', (answer) => answer(socket.handshake.session.theme))
    store.held = []
    const requests = [app.get('/set/theme/one', cookie)]
    await holds(1)
    requests.push(app.get('/set/theme/two', cookie))
    await holds(2)
    store.answersHeld = []
    store.land(order)
    await vi.waitFor(() => expect(store.answersHeld).toHaveLength(2))
    const [first, second] = store.answersHeld
    store.answersHeld = undefined
    first?.()
    expect(await ask(client, 'read')).toBe(last)
    second?.()
    await Promise.all(requests)
    expect(await ask(client, 'read')).toBe(last)
  },
)

test('save and update get through while requests write without a pause', async () => {
  class DistantStore extends CountingStore {
    override get(...args: Parameters<CountingStore['get']>): void {
      setTimeout(() => super.get(...args), 30)
    }

    override set(...args: Parameters<CountingStore['set']>): void {
      setTimeout(() => super.set(...args), 15)
    }
  }
  const app = await startApp({ store: new DistantStore() })
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  let isOver = false
  const keepWriting = async (key: number) => {
    for (let value = 0; !isOver; value++) await app.get(`/set/key${key}/${value}`, cookie)
  }
  const requests = Array.from({ length: 24 }, (_, key) => keepWriting(key))
  for (const change of Object.values(work)) expect(await change(socket, app)).toBeFalsy()
  isOver = true
  await Promise.all(requests)
})

test.each([
  ['only rejects', () => Promise.reject(new Error('down'))],
  ['throws', () => JSON.parse('{')],
])('a store whose `set` %s keeps nobody waiting', async (_what, failing) => {
  const { app, store, id, stored } = await start()
  app.sessions.close()
  const { set } = store
  Object.assign(store, { set: failing })
  const sessions = handshakeSession({ store, secret, timeout: 600_000 })
  await expect((async () => store.set(id, {} as never))()).rejects.toThrow()
  const updating = sessions.update(id, (session) => {
    session.count = 1
  })
  await expect(updating).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
  sessions.close()
  Object.assign(store, { set })
  expect(await stored()).toBeDefined()
})

const missing = Object.assign(new Error('no such file'), { code: 'ENOENT' })

test.each([
  ['fails', (done: Done) => done(new Error('down'))],
  ['finds nothing', (done: Done) => done(missing)],
])('a second destroy that %s does not let a slow request bring the session back', async (_what, answer) => {
  class OnceStore extends CountingStore {
    override destroy(id: string, callback: (error?: unknown) => void): void {
      if (this.calls.destroy > 0) setImmediate(answer, callback)
      else super.destroy(id, callback)
    }
  }
  const store = new OnceStore()
  const stored = await saveAfter(store, async (id, app) => {
    for (let times = 0; times < 2; times++) await app.sessions.revoke(id).catch(() => {})
    await new Promise((destroyed) => store.destroy(id, destroyed))
  })
  expect(stored).toBeUndefined()
})

test('of two destroys the one that fails first does not let a slow request bring the session back', async () => {
  class HeldDestroys extends CountingStore {
    readonly held: [string, Done][] = []

    override destroy(id: string, callback: (error?: unknown) => void): void {
      this.held.push([id, callback])
    }

    finish(): void {
      const [[id, first] = [], [, second] = []] = this.held
      second?.(new Error('down'))
      super.destroy(String(id), first)
    }
  }
  const store = new HeldDestroys()
  const stored = await saveAfter(store, async (id, app) => {
    const destroyed = [0, 1].map(() => app.sessions.revoke(id))
    store.finish()
    await Promise.allSettled(destroyed)
  })
  expect(stored).toBeUndefined()
})

test.each([
  ['is destroyed late, after that was given up, is not brought back by a slow request', undefined, undefined],
  ['was not destroyed after all, late, is saved by a slow request', new Error('down'), { count: 1 }],
])('a session that %s', async (_what, error, expected) => {
  class LateDestroys extends CountingStore {
    readonly late = new EventEmitter()

    override destroy(id: string, callback: (error?: unknown) => void): void {
      this.late.once('release', () => (error ? callback(error) : super.destroy(id, callback)))
    }
  }
  const store = new LateDestroys()
  const stored = await saveAfter(
    store,
    async (id, app) => {
      await expect(app.sessions.revoke(id)).rejects.toMatchObject({ code: 'ERR_SESSION_TIMEOUT' })
      store.late.emit('release')
      await turn()
      await turn()
    },
    50,
  )
  if (expected) expect(stored).toMatchObject(expected)
  else expect(stored).toBeUndefined()
})

/** What the store has when a request that began before `destroy` has saved after it. */
async function saveAfter(store: CountingStore, destroy: (id: string, app: App) => Promise<void>, timeout = 10_000) {
  const app = await startApp({ store, timeout })
  const cookie = await app.login()
  app.express.get('/slow', async (req, res) => {
    await destroy(idOf(cookie), app)
    req.session.count = 1
    res.json({})
  })
  await app.get('/slow', cookie)
  return read(store, idOf(cookie))
}

test('mergeHttpSaves: two requests write one after the other, however long the first write takes', async () => {
  const { app, store, cookie, stored, holds } = await start({ mergeHttpSaves: true })
  vi.spyOn(Math, 'random').mockReturnValue(0) // No pauses between attempts.
  onTestFinished(() => void vi.restoreAllMocks())
  store.held = []
  const first = app.get('/set/theme/dark', cookie)
  await holds(1)
  const saves = new Promise<void>((resolve) => {
    app.express.get('/count', (req, res) => {
      req.session.count = 1
      res.json('ok')
      resolve()
    })
  })
  const second = app.get('/count', cookie)
  await saves
  for (let attempts = 0; attempts < 100; attempts++) await sleep(0)
  expect(store.held).toHaveLength(1)
  store.land()
  await Promise.all([first, second])
  expect(await stored()).toMatchObject({ theme: 'dark', count: 1 })
})

test('mergeHttpSaves: what a request saves a second time in a new session is written, also when the first one failed', async () => {
  class FlakyStore extends CountingStore {
    override set(...args: Parameters<CountingStore['set']>): void {
      if (this.calls.set++ === 0) setImmediate(args[2] as Done, new Error('down'))
      else super.set(...args)
    }
  }
  const store = new FlakyStore()
  const app = await startApp({ store, mergeHttpSaves: true })
  app.express.get('/new', (req, res) => {
    req.session.user = 'ann'
    req.session.save(() => req.session.save((error) => res.json({ error, id: req.sessionID })))
  })
  const { error, id } = (await app.get('/new', '')) as { error?: unknown; id: string }
  expect(error ?? undefined).toBeUndefined()
  expect(await read(store, id)).toMatchObject({ user: 'ann' })
})

type Done = (error?: unknown) => void
