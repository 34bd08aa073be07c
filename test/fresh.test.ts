/** Always current: handshake.session is what the store holds, when a handler reads it. */
import { EventEmitter, once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import type { SessionError } from 'handshake-session'
import { describe, expect, test, vi } from 'vitest'
import { type App, ask, connect, idOf, next, pair, startApp } from './support/app.js'
import { CountingStore } from './support/counting-store.js'
import { later } from './support/later.js'
import { otherProgram, write } from './support/other-program.js'
import { SlowStore } from './support/slow-store.js'

/** Answers `read` with a key of the session, as a handler sees it. */
function answerReads(app: App): void {
  app.io.on('connection', (socket) => {
    socket.on('read', (key, answer) => answer(socket.handshake.session[key]))
  })
}

test('what an HTTP request saves is in every socket of the session before the next handler runs', async () => {
  const app = await startApp({ freshFor: 1_000_000 })
  answerReads(app)
  const cookie = await app.login()
  const tabs = [await pair(app, cookie), await pair(app, cookie)]
  await app.get('/set/theme/dark', cookie)
  for (const { client } of tabs) expect(await ask(client, 'read', 'theme')).toBe('dark')
})

test('what another program writes is there at the next event after freshFor', async () => {
  const app = await startApp({ freshFor: 0 })
  answerReads(app)
  const cookie = await app.login()
  const { client } = await pair(app, cookie)
  await write(otherProgram(app.store), idOf(cookie), 'theme', 'dark')
  expect(await ask(client, 'read', 'theme')).toBe('dark')
})

test('within freshFor no event costs a read', async () => {
  const store = new CountingStore()
  const app = await startApp({ store, freshFor: 1_000_000 })
  answerReads(app)
  const { client } = await pair(app, await app.login())
  store.reset()
  for (let i = 0; i < 10; i++) await ask(client, 'read', 'user')
  expect(store.calls.get).toBe(0)
})

test('a handshake of a session that is live already asks the store again after freshFor, and only then', async () => {
  const store = new CountingStore()
  const app = await startApp({ store, freshFor: 5_000 })
  const cookie = await app.login()
  await pair(app, cookie)
  store.reset()
  await pair(app, cookie)
  expect(store.calls.get).toBe(0)
  const now = later(5_001)
  await pair(app, cookie)
  now()
  expect(store.calls.get).toBe(1)
})

test('load of a session that is live already asks the store again after freshFor, and only then', async () => {
  const store = new CountingStore()
  const app = await startApp({ store, freshFor: 5_000 })
  const cookie = await app.login()
  await pair(app, cookie)
  store.reset()
  const load = () => app.sessions.load({ headers: { cookie } })
  await load()
  expect(store.calls.get).toBe(0)
  later(5_001)
  await load()
  expect(store.calls.get).toBe(1)
})

test('what is saved is what was there when it was, not what became of it before the store answered', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  const record = { cookie: { originalMaxAge: null }, count: 1 }
  const written = new Promise((done) => app.store.set(idOf(cookie), record as never, done))
  record.count = 2
  await written
  expect(socket.handshake.session.count).toBe(1)
})

describe('when the last socket of a session has left', () => {
  async function startLeft() {
    const store = new CountingStore()
    const app = await startApp({ store, freshFor: 1_000, recheck: 1_000_000 })
    const cookie = await app.login()
    const { client, socket } = await pair(app, cookie)
    const left = next(socket.conn as never, 'close')
    client.disconnect()
    await left
    await turn()
    store.reset()
    return { store, app, cookie }
  }

  test('the next one within freshFor reads nothing', async () => {
    const { store, app, cookie } = await startLeft()
    const { socket } = await pair(app, cookie)
    expect(store.calls.get).toBe(0)
    expect(socket.handshake.session).toMatchObject({ user: 'ann' })
  })

  test('the next one after freshFor reads the store', async () => {
    const { store, app, cookie } = await startLeft()
    later(1_000)
    await pair(app, cookie)
    expect(store.calls.get).toBe(1)
  })

  test('what a request writes until then is there', async () => {
    const { app, cookie } = await startLeft()
    await app.get('/set/theme/dark', cookie)
    const { socket } = await pair(app, cookie)
    expect(socket.handshake.session).toMatchObject({ theme: 'dark' })
  })

  test('an end until then is an end', async () => {
    const { app, cookie } = await startLeft()
    await app.get('/logout', cookie)
    const error = await next<SessionError>(connect(app.url, cookie), 'connect_error')
    expect(error.data).toEqual({ code: 'ERR_SESSION_NOT_FOUND' })
  })
})

test('what another program writes is there within recheck when the sockets are idle', async () => {
  const app = await startApp({ recheck: 20 })
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  await write(otherProgram(app.store), idOf(cookie), 'theme', 'dark')
  await vi.waitFor(() => expect(socket.handshake.session['theme']).toBe('dark'))
})

test('what an HTTP request saves while the handshake reads is there when the socket connects', async () => {
  const store = new SlowStore()
  const app = await startApp({ store })
  const cookie = await app.login()
  store.reset()
  const release = store.slowDown()
  const connected = pair(app, cookie)
  await vi.waitFor(() => expect(store.calls.get).toBe(1))
  await app.get('/set/theme/dark', cookie)
  release()
  expect((await connected).socket.handshake.session['theme']).toBe('dark')
})

describe('while a re-read is on its way', () => {
  /** Holds back every answer of `get` until it is released. */
  class HeldStore extends CountingStore {
    held: (() => void)[] | undefined

    override get(...args: Parameters<CountingStore['get']>): void {
      if (this.held) this.held.push(() => super.get(...args))
      else super.get(...args)
    }
  }

  test('all sockets of the session wait for the one read, and events keep their order', async () => {
    const store = new HeldStore()
    const app = await startApp({ store, freshFor: 0 })
    const heard: [string, string][] = []
    app.io.on('connection', (socket) => {
      socket.on('say', (word) => heard.push([socket.id, word]))
    })
    const cookie = await app.login()
    const tabs = [await pair(app, cookie), await pair(app, cookie)]
    const arrived = Promise.all(tabs.map(({ socket }) => new Promise((done) => countEvents(socket, 3, done))))
    store.held = []
    for (const { client } of tabs) for (const word of ['a', 'b', 'c']) client.emit('say', word)
    await arrived
    expect(heard).toEqual([])
    expect(store.held).toHaveLength(1)
    for (const release of store.held) release()
    await vi.waitFor(() => expect(heard).toHaveLength(6))
    for (const { socket } of tabs) {
      const words = heard.flatMap(([id, word]) => (id === socket.id ? [word] : []))
      expect(words).toEqual(['a', 'b', 'c'])
    }
    expect(store.calls.get).toBeLessThanOrEqual(4)
  })

  /** Calls back when so many packets have come in, whether or not they were let through. */
  function countEvents(
    socket: { onAny(listener: () => void): unknown },
    count: number,
    done: (value: unknown) => void,
  ): void {
    let seen = 0
    socket.onAny(() => ++seen === count && done(undefined))
  }

  test('what an HTTP request saves meanwhile is not undone by the older answer', async () => {
    const store = new SlowStore()
    const app = await startApp({ store, freshFor: 0 })
    answerReads(app)
    const cookie = await app.login()
    const { client, socket } = await pair(app, cookie)
    const asked = new Promise((done) => countEvents(socket, 1, done))
    const release = store.slowDown()
    const answer = ask(client, 'read', 'theme')
    await asked
    await app.get('/set/theme/dark', cookie)
    release()
    expect(await answer).toBe('dark')
  })

  test('an event of a session that is gone reaches no handler, and is no failure', async () => {
    const onError = vi.fn()
    const app = await startApp({ freshFor: 0, onError })
    app.io.on('connection', (socket) => {
      socket.on('say', () => expect.unreachable('the session is gone'))
    })
    const cookie = await app.login()
    const { client, socket } = await pair(app, cookie)
    const closed = new Promise((done) => socket.once('disconnect', done))
    await new Promise((done) => otherProgram(app.store).destroy(idOf(cookie), done))
    client.emit('say', 'x')
    await closed
    await new Promise(setImmediate)
    expect(onError).not.toHaveBeenCalled()
  })
})

test('references stay valid: one session object for its whole life, and the same objects under unchanged keys', async () => {
  const app = await startApp({ freshFor: 0 })
  answerReads(app)
  const cookie = await app.login()
  const { client, socket } = await pair(app, cookie)
  const { session } = socket.handshake
  session.items = ['pen']
  await new Promise((saved) => session.save(saved))
  const { items } = session
  await write(otherProgram(app.store), idOf(cookie), 'theme', 'dark')
  expect(await ask(client, 'read', 'theme')).toBe('dark')
  expect(socket.handshake.session).toBe(session)
  expect(session.items).toBe(items)
})

describe.each([true, false])('a request that only reads (mergeHttpSaves: %s)', (mergeHttpSaves) => {
  async function startReading(store = new SlowStore()) {
    const app = await startApp({ store, mergeHttpSaves })
    const requests = new EventEmitter()
    app.express.get('/slow', (_req, res) => {
      requests.once('finish', () => res.end('done'))
      requests.emit('begun')
    })
    const cookie = await app.login()
    const begun = once(requests, 'begun')
    const response = fetch(`${app.url}/slow`, { headers: { cookie } }).then((response) => response.text())
    await begun
    const finish = () => {
      requests.emit('finish')
      return response
    }
    return { app, store, cookie, finish }
  }

  test('reverts nothing when it ends, though it extends the session with its old copy', async () => {
    const { app, cookie, finish } = await startReading()
    const { socket } = await pair(app, cookie)
    const { session } = socket.handshake
    const save = (count: number) => {
      session.count = count
      return new Promise((saved) => session.save(saved))
    }
    await save(1)
    await app.get('/set/role/guest', cookie)
    await finish()
    expect(session).toMatchObject({ count: 1, role: 'guest' })
    await save(2)
    expect(await app.get('/session', cookie)).toMatchObject({ count: 2, role: 'guest' })
  })

  test('nor while a connection reads the session for the first time', async () => {
    const { app, store, cookie, finish } = await startReading()
    await app.get('/set/role/guest', cookie)
    const answer = store.slowDown()
    const asked = store.calls.get
    const joining = pair(app, cookie)
    await expect.poll(() => store.calls.get).toBe(asked + 1)
    await finish()
    answer()
    expect((await joining).socket.handshake.session['role']).toBe('guest')
  })
})

test('a page that is reloaded: what HTTP saves between its two connections is not missed', async () => {
  const store = new SlowStore()
  const app = await startApp({ store, freshFor: 0 })
  const cookie = await app.login()
  const before = await pair(app, cookie)
  const answer = store.slowDown()
  const asked = store.calls.get
  const reloading = pair(app, cookie)
  await expect.poll(() => store.calls.get).toBe(asked + 1)
  const left = next(before.socket, 'disconnect')
  before.client.disconnect()
  await left
  await app.get('/set/theme/dark', cookie)
  answer()
  expect((await reloading).socket.handshake.session['theme']).toBe('dark')
})
