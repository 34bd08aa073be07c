/** Over when the session is over: every kind of ending closes the sockets, tells its reason, and leaves no record. */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import session, { type SessionData } from 'express-session'
import fc from 'fast-check'
import type { SessionEnd } from 'handshake-session'
import { SessionRegistry } from 'handshake-session/internals'
import type { Socket } from 'socket.io'
import type { Socket as Client } from 'socket.io-client'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type App, type AppOptions, ask, connect, cookieOf, hear, idOf, next, pair, startApp } from './support/app.js'
import { CountingStore } from './support/counting-store.js'
import { connectFakes } from './support/fake-connections.js'
import { later } from './support/later.js'
import { otherProgram, read } from './support/other-program.js'
import { SlowStore } from './support/slow-store.js'

/** A way in which a session ends. */
interface Ending {
  reason: SessionEnd['reason']
  options?: AppOptions
  end(app: App, cookie: string): unknown
}

const endings: Record<string, Ending> = {
  'req.session.destroy()': { reason: 'destroyed', end: (app, cookie) => app.get('/logout', cookie) },
  'req.session.regenerate()': { reason: 'regenerated', end: (app, cookie) => app.get('/regenerate', cookie) },
  "req.session = null with unset: 'destroy'": {
    reason: 'destroyed',
    options: { session: { unset: 'destroy' } },
    end: (app, cookie) => app.get('/unset', cookie),
  },
  'expiry, idle': { reason: 'expired', options: { session: { cookie: { maxAge: 300 } } }, end: () => {} },
  'deletion by another program, idle': {
    reason: 'destroyed',
    options: { recheck: 20 },
    end: (app, cookie) => otherProgram(app.store).destroy(idOf(cookie)),
  },
  'deletion by another program, at the next event': {
    reason: 'destroyed',
    options: { freshFor: 0 },
    end: async (app, cookie) => {
      await new Promise((done) => otherProgram(app.store).destroy(idOf(cookie), done))
      app.io.emit('poke')
    },
  },
  'revoke(id)': { reason: 'revoked', end: (app, cookie) => app.sessions.revoke(idOf(cookie)) },
  'session.destroy() on a socket': {
    reason: 'destroyed',
    end: (app, cookie) => {
      const sockets = [...app.io.sockets.sockets.values()]
      sockets.find(({ handshake }) => handshake.sessionID === idOf(cookie))?.handshake.session.destroy(() => {})
    },
  },
}

function addUnset(app: App): void {
  app.express.get('/unset', (req, res) => {
    req.session = null as never
    res.json({})
  })
}

describe.each(Object.entries(endings))('%s', (_name, { reason, options, end }) => {
  test('ends the session: reason told once, sockets closed in every namespace, no record, no way back', async () => {
    const app = await startApp(options)
    addUnset(app)
    const ends: SessionEnd[] = []
    app.sessions.on('end', (event) => ends.push(event))
    app.io.of('/chat').on('connection', () => {})
    const cookie = await app.login()
    const other = await pair(app, await app.login('bob'))
    const clients = [await pair(app, cookie), await pair(app, cookie)].map(({ client }) => client)
    const chat = connect(`${app.url}/chat`, cookie)
    await next(chat, 'connect')
    clients[0]?.on('poke', () => clients[0]?.emit('any'))
    const closed = Promise.all([...clients, chat].map((client) => next(client, 'disconnect')))
    await end(app, cookie)
    expect(new Set(await closed)).toEqual(new Set(['transport close']))
    expect(ends.filter(({ sessionID }) => sessionID === idOf(cookie))).toEqual([{ sessionID: idOf(cookie), reason }])
    expect(await read(app.store, idOf(cookie))).toBeUndefined()
    if (reason !== 'expired') expect(other.client.connected).toBe(true)
    const refused = await next(connect(app.url, cookie), 'connect_error')
    expect(refused).toMatchObject({ data: { code: 'ERR_SESSION_NOT_FOUND' } })
  })
})

test.each([0, 1, 2])('when socket %i of three has left before, the two others are closed', async (which) => {
  const app = await startApp()
  const cookie = await app.login()
  const pairs = [await pair(app, cookie), await pair(app, cookie), await pair(app, cookie)]
  for (const { client, socket } of pairs.splice(which, 1)) {
    const left = next(socket.conn as never, 'close')
    client.disconnect()
    await left
  }
  const closed = Promise.all(pairs.map(({ client }) => next(client, 'disconnect')))
  await app.sessions.revoke(idOf(cookie))
  await closed
})

test('after regenerate the client comes back by itself, with its new cookie', async () => {
  const app = await startApp()
  app.express.get('/become/:user', (req, res) => {
    req.session.regenerate(() => {
      req.session.user = req.params.user
      res.json({})
    })
  })
  const cookie = await app.login()
  const extraHeaders = { cookie }
  const { client } = await pair(app, cookie, { extraHeaders, reconnection: true, reconnectionDelay: 50 })
  const again = next<Socket>(app.io, 'connection')
  client.once('disconnect', () => {
    extraHeaders.cookie = renewed
  })
  let renewed = ''
  const response = await fetch(`${app.url}/become/bob`, { headers: { cookie } })
  renewed = cookieOf({ headers: { 'set-cookie': response.headers.getSetCookie() } })
  const { handshake } = await again
  expect(handshake.sessionID).toBe(idOf(renewed))
  expect(handshake.session.user).toBe('bob')
})

test('after regenerate the socket is closed when the response is out, and hears no event until then', async () => {
  const app = await startApp()
  let respond = () => {}
  const regenerated = new Promise<void>((done) => {
    app.express.get('/slow', (req, res) => {
      respond = () => res.json({})
      req.session.regenerate(() => done())
    })
  })
  app.io.on('connection', (socket) => socket.on('work', () => expect.unreachable('the session is over')))
  const cookie = await app.login()
  const { client, socket } = await pair(app, cookie)
  const response = app.get('/slow', cookie)
  await regenerated
  const arrived = new Promise((done) => socket.onAny(done))
  client.emit('work')
  await arrived
  expect(socket.connected).toBe(true)
  const closed = next(client, 'disconnect')
  respond()
  await Promise.all([response, closed])
})

test('a connection whose session has ended joins no other namespace until it is closed', async () => {
  const app = await startApp()
  app.io.of('/chat')
  let respond = () => {}
  const regenerated = new Promise<void>((done) => {
    app.express.get('/slow', (req, res) => {
      respond = () => res.json({})
      req.session.regenerate(() => done())
    })
  })
  const cookie = await app.login()
  const { client } = await pair(app, cookie)
  const response = app.get('/slow', cookie)
  onTestFinished(async () => {
    respond()
    await response
  })
  await regenerated
  const chat = client.io.socket('/chat').connect()
  expect(await next(chat, 'connect_error')).toMatchObject({ data: { code: 'ERR_SESSION_NOT_FOUND' } })
})

test('by a socket that left nobody updates the session', async () => {
  const app = await startApp()
  const { client, socket } = await pair(app, await app.login())
  const left = next(socket.conn as never, 'close')
  client.disconnect()
  await left
  await expect(app.sessions.update(socket, () => {})).rejects.toMatchObject({
    code: 'ERR_SESSION_NOT_FOUND',
    message: expect.stringContaining('its client left'),
  })
})

test('a regenerate of a request that was aborted closes the sockets all the same', async () => {
  const app = await startApp()
  let regenerate = () => {}
  const arrived = new Promise<void>((done) => {
    app.express.get('/late', (req, res) => {
      regenerate = () => req.session.regenerate(() => res.end())
      res.once('close', regenerate)
      done()
    })
  })
  const cookie = await app.login()
  const { client } = await pair(app, cookie)
  const closed = next(client, 'disconnect')
  const abort = new AbortController()
  const response = fetch(`${app.url}/late`, { headers: { cookie }, signal: abort.signal }).catch(() => {})
  await arrived
  abort.abort()
  await Promise.all([response, closed])
}, 4_000) // A response that never ends keeps them for 5 s.

test('events still queued when the session ends reach no handler', async () => {
  const app = await startApp()
  const heard: number[] = []
  app.io.on('connection', (socket) => {
    socket.on('count', async (n) => {
      heard.push(n)
      if (n === 0) socket.handshake.session.destroy(() => {})
    })
  })
  const { client } = await pair(app, await app.login())
  for (let n = 0; n < 100; n++) client.emit('count', n)
  await next(client, 'disconnect')
  expect(heard).toEqual([0])
})

test('end is told before the sockets are closed: what its listener emits to the room still arrives', async () => {
  const app = await startApp()
  app.sessions.on('end', ({ sessionID, reason }) => app.io.to(app.sessions.room(sessionID)).emit('bye', reason))
  for (const transports of [['websocket'], ['polling']]) {
    const cookie = await app.login()
    const { client } = await pair(app, cookie, { transports })
    const bye = next(client, 'bye')
    await app.get('/logout', cookie)
    expect(await bye).toBe('destroyed')
  }
})

test('end is not told for a session that no socket has', async () => {
  const app = await startApp()
  const told = vi.fn()
  app.sessions.on('end', told)
  const cookie = await app.login()
  await app.get('/regenerate', '')
  await app.get('/logout', '')
  await app.sessions.revoke(idOf(cookie))
  expect(told).not.toHaveBeenCalled()
})

test('a listener of end that throws goes to onError, and the sockets are closed all the same', async () => {
  const told: string[] = []
  const app = await startApp({ onError: (_error, { stage }) => told.push(stage) })
  app.sessions.on('end', () => {
    throw new Error('from the listener')
  })
  const { client } = await pair(app, await app.login())
  const closed = next(client, 'disconnect')
  await app.sessions.revoke(String((await app.io.fetchSockets())[0]?.handshake.sessionID))
  await closed
  expect(told).toEqual(['end'])
})

test('a session that the store could not destroy lives on: its client is let in again', async () => {
  class StubbornStore extends CountingStore {
    override destroy(_id: string, callback: (error?: unknown) => void): void {
      setImmediate(callback, new Error('down'))
    }
  }
  const app = await startApp({ store: new StubbornStore() })
  const cookie = await app.login()
  const { client } = await pair(app, cookie)
  const closed = next(client, 'disconnect')
  await expect(app.sessions.revoke(idOf(cookie))).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
  await closed
  await pair(app, cookie)
})

describe('that a session has ended is remembered', () => {
  /** A session that another node has ended, although the store still has it, as when that lags; and the code of `load`. */
  async function startEnded() {
    const app = await startApp()
    const cookie = await app.login()
    const end = (ids: string[]) => hear(app, { ended: ids.map((id) => [app.sessions.room(id), 'destroyed']) })
    const look = () =>
      app.sessions.load({ headers: { cookie } }).then(
        ({ user }) => user,
        ({ code }) => code,
      )
    for (let turns = 0; turns < 5; turns++) await turn() // The login's write is over: it is not taken for one that came later.
    end([idOf(cookie)])
    expect(await look()).toBe('ERR_SESSION_NOT_FOUND')
    return { end, look }
  }

  test('for ten minutes at least, and twenty at most', async () => {
    const { end, look } = await startEnded()
    const looks: unknown[] = []
    for (const milliseconds of [599_000, 2_000, 598_000, 3_000]) {
      later(milliseconds)
      end([`another, ${looks.length}`])
      looks.push(await look())
    }
    expect(looks).toEqual(['ERR_SESSION_NOT_FOUND', 'ERR_SESSION_NOT_FOUND', 'ERR_SESSION_NOT_FOUND', 'ann'])
  })

  test('of the last 100,000, and of 200,000 at most', async () => {
    const { end, look } = await startEnded()
    const others = Array.from({ length: 200_000 }, (_, index) => `other ${index}`)
    end(others.slice(0, 100_000))
    expect(await look()).toBe('ERR_SESSION_NOT_FOUND')
    end(others.slice(100_000))
    expect(await look()).toBe('ann')
  })
})

test('a session that ends while it is first read is given to nobody', async () => {
  const store = new SlowStore()
  const app = await startApp({ store })
  const cookie = await app.login()
  const answer = store.slowDown()
  const loading = app.sessions.load({ headers: { cookie } })
  await app.sessions.revoke(idOf(cookie))
  answer()
  await expect(loading).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
})

test.each([0, 601_000])('a new session under an id that has ended is one, %i ms later', async (milliseconds) => {
  const app = await startApp({ session: { genid: () => 'the one id' } })
  const cookie = await app.login('ann')
  await app.get('/logout', cookie)
  later(milliseconds)
  await app.sessions.revoke('another')
  const { socket } = await pair(app, await app.login('bob'))
  expect(socket.handshake.session.user).toBe('bob')
})

describe('touch', () => {
  const maxAge = 400

  test('a session that is active for ten times maxAge by events alone stays; then it ends', async () => {
    const store = new CountingStore()
    const app = await startApp({ store, session: { cookie: { maxAge } } })
    app.io.on('connection', (socket) => socket.on('ping', (answer) => answer(socket.handshake.session.user)))
    const cookie = await app.login()
    const { client } = await pair(app, cookie)
    store.reset()
    const started = Date.now()
    while (Date.now() - started < 10 * maxAge) {
      expect(await ask(client, 'ping')).toBe('ann')
      await sleep(20)
    }
    expect(store.calls.touch).toBeGreaterThanOrEqual(10)
    expect(store.calls.touch).toBeLessThanOrEqual((Date.now() - started) / (maxAge / 10) + 1)
    expect(store.calls.set).toBe(0)
    await next(client, 'disconnect')
  }, 20_000)

  test('what the server sends does not extend it: ends within a second of its expiry', async () => {
    const app = await startApp({ session: { cookie: { maxAge } } })
    const cookie = await app.login()
    const started = Date.now()
    const { client } = await pair(app, cookie)
    const news = setInterval(() => app.io.emit('news'), 20)
    await next(client, 'disconnect')
    clearInterval(news)
    expect(Date.now() - started).toBeGreaterThanOrEqual(maxAge - 100)
    expect(Date.now() - started).toBeLessThan(maxAge + 1_000)
  })

  test('a session that lives on because of HTTP requests does not end early', async () => {
    const app = await startApp({ session: { cookie: { maxAge } } })
    const cookie = await app.login()
    const { client } = await pair(app, cookie)
    let open = true
    client.once('disconnect', () => {
      open = false
    })
    for (let elapsed = 0; elapsed < 3 * maxAge; elapsed += 50) {
      await app.get('/session', cookie)
      await sleep(50)
    }
    expect(open).toBe(true)
  })

  test('touch: false leaves the expiry to HTTP', async () => {
    const app = await startApp({ touch: false, session: { cookie: { maxAge } } })
    app.io.on('connection', (socket) => socket.on('ping', (answer) => answer()))
    const { client } = await pair(app, await app.login())
    const pings = setInterval(() => client.emit('ping', () => {}), 20)
    await next(client, 'disconnect')
    clearInterval(pings)
  })

  test('on a store without touch it is a commit', async () => {
    const store = Object.assign(new CountingStore(), { touch: undefined as never })
    const app = await startApp({ store, session: { cookie: { maxAge } } })
    app.io.on('connection', (socket) => socket.on('ping', (answer) => answer()))
    const { client } = await pair(app, await app.login())
    store.reset()
    const started = Date.now()
    while (Date.now() - started < 3 * maxAge) {
      await ask(client, 'ping')
      await sleep(20)
    }
    expect(store.calls.set).toBeGreaterThanOrEqual(3)
    expect(store.calls.set).toBeLessThanOrEqual((Date.now() - started) / (maxAge / 10) + 1)
  })
})

describe('a store whose writes land late, after the session was destroyed', () => {
  /** Holds back what `set` and `touch` do, until `land()`. */
  class LateStore extends CountingStore {
    readonly late: (() => void)[] = []
    isLate = false

    override set(...args: Parameters<CountingStore['set']>): void {
      if (this.isLate) this.late.push(() => super.set(...args))
      else super.set(...args)
    }

    override touch(...args: Parameters<CountingStore['touch']>): void {
      const [id, record, callback] = args
      if (this.isLate)
        this.late.push(() => super.set(id, record, callback)) // as stores do whose touch is a write
      else super.touch(...args)
    }
  }

  async function destroyDuring(act: (app: App, socket: Socket, client: Client) => unknown): Promise<void> {
    const store = new LateStore()
    const app = await startApp({ store, session: { cookie: { maxAge: 60_000 } } })
    app.io.on('connection', (each) => each.on('work', () => {}))
    const cookie = await app.login()
    const { client, socket } = await pair(app, cookie)
    store.isLate = true
    const outcome = act(app, socket, client)
    await vi.waitFor(() => expect(store.late).toHaveLength(1))
    await app.get('/logout', cookie)
    store.late[0]?.()
    await outcome
    await vi.waitFor(async () => expect(await read(store, idOf(cookie))).toBeUndefined())
    await vi.waitFor(() => expect(store.calls.destroy).toBe(2))
  }

  test('a save of a socket is undone, and fails', () =>
    destroyDuring(async (_app, { handshake }) => {
      handshake.session.count = 1
      const error = await new Promise((saved) => handshake.session.save(saved))
      expect(error).toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
    }))

  test('an update is undone, and fails', () =>
    destroyDuring(async (app, socket) => {
      const update = app.sessions.update(socket, (s) => (s.count = 1))
      await expect(update).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
    }))

  test('a request that only extends the session is undone', () =>
    destroyDuring((app, { handshake }) => app.get('/session', String(handshake.headers.cookie))))

  test('a touch is undone', () =>
    destroyDuring((_app, _socket, client) => {
      later(30_000)
      client.emit('work')
    }))
})

test('after any ending, in any interleaving with saves, updates, touches and disconnects, there is no record', async () => {
  const app = await startApp({ mergeHttpSaves: true, session: { cookie: { maxAge: 60_000 } } })
  const registry = SessionRegistry.join(app.store)
  onTestFinished(() => registry.leave())
  const actions = {
    save: (_cookie: string, { handshake }: Ends) => {
      handshake.session.count = Math.random()
      return new Promise((done) => handshake.session.save(done))
    },
    touch: async (cookie: string) => (await registry.open(idOf(cookie))).touch(),
    update: (cookie: string) => app.sessions.update(idOf(cookie), (s) => (s.count = Math.random())),
    slowUpdate: (cookie: string) =>
      app.sessions.update(idOf(cookie), async (s) => {
        await new Promise(setImmediate)
        s.count = Math.random()
      }),
    http: (cookie: string) => fetch(`${app.url}/set/a/${Math.random()}`, { headers: { cookie } }),
    leave: async (_cookie: string, { conn }: Ends) => conn.close(),
    logout: (cookie: string) => fetch(`${app.url}/logout`, { headers: { cookie } }),
    regenerate: (cookie: string) => fetch(`${app.url}/regenerate`, { headers: { cookie } }),
    revoke: (cookie: string) => app.sessions.revoke(idOf(cookie)),
  }
  type Action = keyof typeof actions
  interface Ends {
    handshake: { session: session.Session & Partial<SessionData> }
    conn: { close(): void }
  }
  const some = fc.array(fc.constantFrom<Action>('save', 'touch', 'update', 'slowUpdate', 'http', 'leave'), {
    maxLength: 6,
  })
  const ending = fc.constantFrom<Action>('logout', 'regenerate', 'revoke')
  const schedule = fc.tuple(some, ending, some, fc.infiniteStream(fc.integer({ min: 0, max: 3 })))
  await fc.assert(
    fc.asyncProperty(schedule, async ([before, end, after, pauses]) => {
      const cookie = await app.login()
      const { socket } = await pair(app, cookie)
      const running: Promise<unknown>[] = []
      for (const action of [...before, end, ...after]) {
        running.push(Promise.resolve(actions[action](cookie, socket)).catch(() => {}))
        for (let ticks = pauses.next().value; ticks > 0; ticks--) await new Promise(setImmediate)
      }
      await Promise.all(running)
      expect(await read(app.store, idOf(cookie))).toBeUndefined()
    }),
    { numRuns: 150 },
  )
}, 60_000)

test('revoke and room take a session id, and revoke one of the reasons that `end` has', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const wrong = { code: 'ERR_SESSION_OPTIONS' }
  await expect(app.sessions.revoke(idOf(cookie), 'banned' as never)).rejects.toMatchObject({
    ...wrong,
    message: expect.stringContaining('destroyed, regenerated, expired, revoked'),
  })
  await expect(app.sessions.revoke(undefined as never)).rejects.toMatchObject(wrong)
  expect(() => app.sessions.room(undefined as never)).toThrow(expect.objectContaining(wrong))
  await pair(app, cookie)
})

test('10 000 sockets of 1 000 sessions: revoking all closes all, and nothing is left', async () => {
  const store = new CountingStore()
  const app = await startApp({ store })
  const registry = SessionRegistry.join(store)
  const ids = Array.from({ length: 1_000 }, (_, i) => `session-${i}`)
  for (const id of ids) store.set(id, { cookie: new session.Cookie(), user: id } as SessionData)
  await new Promise(setImmediate) // Until these are answered: each disturbs a read.
  store.reset()
  const conns = await connectFakes(app, ids, 10)
  expect(store.calls.get).toBe(1_000)
  expect(registry.sessions.size).toBe(1_000)
  await Promise.all(ids.map((id) => app.sessions.revoke(id)))
  expect(conns.every(({ readyState }) => readyState === 'closed')).toBe(true)
  expect(registry.sessions.size).toBe(0)
  expect(app.io.sockets.adapter.rooms.size).toBe(0)
  expect(app.io.sockets.sockets.size).toBe(0)
  expect(conns.reduce((sum, conn) => sum + conn.listenerCount('close'), 0)).toBe(0)
  registry.leave()
}, 60_000)
