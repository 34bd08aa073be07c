/** `authorize`: which sessions may have a socket, at the handshake and for as long as the socket lives. */
import { setImmediate as turn } from 'node:timers/promises'
import { type Authorize, handshakeSession, type SessionError } from 'handshake-session'
import { SessionRegistry } from 'handshake-session/internals'
import type { Socket } from 'socket.io'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type App, type AppOptions, ask, connect, hear, idOf, next, pair, secret, startApp } from './support/app.js'
import { CountingStore } from './support/counting-store.js'
import { otherProgram } from './support/other-program.js'

const forbidden = { message: 'Session is not allowed', data: { code: 'ERR_SESSION_FORBIDDEN' } }
const hasUser: Authorize = (session) => Boolean(session.user)

/** An `authorize` whose answers are given by the test, one by one. */
function questions() {
  const open: { user: unknown; answer(value: unknown): void; fail(error: unknown): void }[] = []
  let isAsked = () => {}
  const authorize = ((session: { user?: unknown }) =>
    new Promise((answer, fail) => {
      open.push({ user: session.user, answer, fail })
      isAsked()
    })) as Authorize
  /** The next question. */
  const asked = async () => {
    if (open.length === 0) await new Promise<void>((resolve) => (isAsked = resolve))
    return open.shift() as (typeof open)[number]
  }
  return { authorize, asked, open }
}

function start(authorize: unknown, options: AppOptions = {}): Promise<App & { told: string[] }> {
  const told: string[] = []
  const onError = (error: SessionError, { stage }: { stage: string }) => void told.push(`${stage} ${error.code}`)
  return startApp({ authorize: authorize as Authorize, onError, ...options }).then((app) =>
    Object.assign(app, { told }),
  )
}

/** Logs out in the way in which the session goes on. */
const withoutUser = (app: App, cookie: string) => app.sessions.update(idOf(cookie), (s) => void delete s.user)

describe('at the handshake', () => {
  test.each([
    ['true', () => true],
    ['a promise of true', async () => true],
    // biome-ignore lint/suspicious/noThenProperty: an object that is no Promise
    ['an object with then', () => ({ then: (done: (value: boolean) => void) => [done(true), done(false)] })],
  ])('%s lets in', async (_what, authorize) => {
    const app = await start(authorize)
    await pair(app, await app.login())
    expect(app.told).toEqual([])
  })

  test.each<[string, () => unknown]>([
    ['false', () => false],
    ['1', () => 1],
    ['undefined', () => undefined],
    ["'true'", () => 'true'],
    ['an object', () => ({})],
    ['a promise of something', async () => 'ann'],
    ['a promise of false', async () => false],
  ])('%s refuses, by a code and a fixed sentence', async (_what, authorize) => {
    const app = await start(authorize)
    const cookie = await app.login()
    expect(await next(connect(app.url, cookie), 'connect_error')).toMatchObject(forbidden)
    expect(app.told).toEqual(['authorize ERR_SESSION_FORBIDDEN'])
    expect(await app.get('/session', cookie)).toMatchObject({ user: 'ann' })
  })

  const fails = new Error('of the database, with its password')
  const failing: [string, () => unknown][] = [
    ['throws', () => thrown(fails)],
    ['throws nothing', () => thrown(undefined)],
    ['rejects', () => Promise.reject(fails)],
    ['gives a `then` that throws', () => Object.defineProperty({}, 'then', { get: () => thrown(fails) })],
    // biome-ignore lint/suspicious/noThenProperty: an object that is no Promise
    ['gives a then() that throws', () => ({ then: () => thrown(fails) })],
    [
      'reads a getter that throws',
      () =>
        ({
          get user() {
            return thrown(fails)
          },
        }).user,
    ],
    ['never answers', () => new Promise(() => {})],
  ]
  test.each(failing)(
    'one that %s refuses, is told once with its cause, and not to the client',
    async (_what, authorize) => {
      const errors: [SessionError, string][] = []
      const onError = (error: SessionError, { stage }: { stage: string }) => void errors.push([error, stage])
      const app = await start(authorize, { timeout: 50, onError })
      expect(await next(connect(app.url, await app.login()), 'connect_error')).toMatchObject(forbidden)
      expect(errors).toMatchObject([[{ code: 'ERR_SESSION_FORBIDDEN' }, 'authorize']])
      expect(Object.hasOwn(errors[0]?.[0] ?? {}, 'cause')).toBe(true)
    },
  )

  test.each(failing)('one that %s while the socket lives closes it, and is told', async (_what, fail) => {
    let isFine = true
    const app = await start(() => (isFine ? true : fail()), { timeout: 50 })
    const cookie = await app.login()
    const { client } = await pair(app, cookie)
    isFine = false
    const closed = next(client, 'disconnect')
    await app.get('/set/count/1', cookie)
    expect(await closed).toBe('transport close')
    expect(app.told).toEqual(['authorize ERR_SESSION_FORBIDDEN'])
  })

  test('it sees the session and the handshake, of each namespace', async () => {
    const seen: unknown[] = []
    const app = await start(((session, { auth, headers, query }) => {
      seen.push([session.user, auth?.['as'], headers['x-y'], query?.['EIO']])
      return auth?.['as'] !== 'admin'
    }) satisfies Authorize)
    app.io.of('/admin')
    const cookie = await app.login()
    const extraHeaders = { cookie, 'x-y': 'z' }
    const client = connect(app.url, cookie, { extraHeaders, auth: { as: 'user' }, forceNew: false, multiplex: true })
    await next(client, 'connect')
    const admin = client.io.socket('/admin', { auth: { as: 'admin' } })
    expect(await next(admin, 'connect_error')).toMatchObject(forbidden)
    expect(seen).toEqual([
      ['ann', 'user', 'z', '4'],
      ['ann', 'admin', 'z', '4'],
    ])
    expect(client.connected).toBe(true)
  })

  test('where no session is required, whoever has none is not asked about; a session that may not is refused', async () => {
    const seen: unknown[] = []
    const app = await start((session: { user?: unknown }) => seen.push(session.user) && false, { required: false })
    const { socket } = await pair(app, '')
    expect(socket.handshake.session).toBeUndefined()
    expect(seen).toEqual([])
    expect(await next(connect(app.url, await app.login()), 'connect_error')).toMatchObject(forbidden)
  })

  test('a session that changes while it is asked about is asked about again, and the newest answer counts', async () => {
    const { authorize, asked } = questions()
    const app = await start(authorize)
    const cookie = await app.login()
    const refused = next(connect(app.url, cookie), 'connect_error')
    const first = await asked()
    await app.get('/set/user/eve', cookie)
    first.answer(true)
    const second = await asked()
    expect([first.user, second.user]).toEqual(['ann', 'eve'])
    second.answer(false)
    expect(await refused).toMatchObject(forbidden)
    const loading = app.sessions.load({ headers: { cookie } })
    const third = await asked()
    await app.get('/set/user/carl', cookie)
    third.answer(true)
    ;(await asked()).answer(false)
    await expect(loading).rejects.toMatchObject({ code: 'ERR_SESSION_FORBIDDEN' })
  })

  test('a session that is disturbed while it is asked about is read again before anybody is let in', async () => {
    const { authorize, asked } = questions()
    const app = await start(authorize)
    const cookie = await app.login()
    const refused = next(connect(app.url, cookie), 'connect_error')
    const first = await asked()
    await new Promise((done) =>
      otherProgram(app.store).set(idOf(cookie), { cookie: { originalMaxAge: null }, user: 'eve' } as never, done),
    )
    hear(app, { changed: [app.sessions.room(idOf(cookie))] })
    first.answer(true)
    const second = await asked()
    expect(second.user).toBe('eve')
    second.answer(false)
    expect(await refused).toMatchObject(forbidden)
  })

  test('a session that ends, a client that leaves and close() while it is asked: nobody is let in', async () => {
    const { authorize, asked } = questions()
    const app = await start(authorize)
    app.io.on('connection', () => expect.unreachable('nobody may be let in'))
    const cookie = await app.login()
    const refused = next(connect(app.url, cookie), 'connect_error')
    const first = await asked()
    await app.get('/logout', cookie)
    first.answer(true)
    expect(await refused).toMatchObject({ data: { code: 'ERR_SESSION_NOT_FOUND' } })
    const other = await app.login('bob')
    const closing = new Promise<void>((done) => {
      app.io.engine.once('connection', (conn: NodeJS.EventEmitter) => conn.once('close', () => done()))
    })
    const leaving = connect(app.url, other)
    const second = await asked()
    leaving.disconnect()
    await closing
    second.answer(true)
    const third = next(connect(app.url, other), 'connect_error')
    const question = await asked()
    app.sessions.close()
    question.answer(true)
    expect(await third).toMatchObject({ data: { code: 'ERR_SESSION_ENDED' } })
  })

  test('a ticket is not enough', async () => {
    const app = await start(hasUser)
    const cookie = await app.login('ann')
    const ticket = () => app.sessions.ticket({ session: {}, sessionID: idOf(cookie) })
    await next(connect(app.url, undefined, { auth: { ticket: ticket() } }), 'connect')
    await withoutUser(app, cookie)
    const client = connect(app.url, undefined, { auth: { ticket: ticket() } })
    expect(await next(client, 'connect_error')).toMatchObject(forbidden)
  })

  test('load rejects, and explain says so', async () => {
    const app = await start(async (session: { user?: unknown }, { auth }: { auth?: unknown }) => {
      return session.user === 'ann' && auth === undefined
    })
    const [ann, bob] = [{ headers: { cookie: await app.login() } }, { headers: { cookie: await app.login('bob') } }]
    expect((await app.sessions.load(ann)).user).toBe('ann')
    expect(await app.sessions.explain(ann)).toMatchObject({ accepted: true, steps: { length: 5 } })
    for (const handshake of [bob, { ...ann, auth: {} }]) {
      await expect(app.sessions.load(handshake)).rejects.toMatchObject({ code: 'ERR_SESSION_FORBIDDEN' })
      const { accepted, code, steps } = await app.sessions.explain(handshake)
      expect([accepted, code]).toEqual([false, 'ERR_SESSION_FORBIDDEN'])
      expect(steps.at(-1)).toEqual({ step: 'authorize', ok: false, detail: expect.stringMatching(/does not say true/) })
    }
  })

  test('a lost connection recovers nothing that its session may not have any more', async () => {
    const app = await start(hasUser, { io: { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } } })
    const cookie = await app.login()
    const { client, socket } = await pair(app, cookie, { reconnection: true, reconnectionDelay: 10 })
    socket.join('secret')
    client.on('secret', () => expect.unreachable('it may not hear that'))
    app.io.emit('hello')
    await next(client, 'hello')
    const refused = next(client, 'connect_error')
    client.io.engine.close()
    await withoutUser(app, cookie)
    app.io.to('secret').emit('secret')
    expect(await refused).toMatchObject(forbidden)
  })
})

function thrown(error: unknown): never {
  throw error
}

describe('while the socket lives', () => {
  const changes: Record<string, [(app: App, cookie: string, socket: Socket) => unknown, AppOptions?]> = {
    'an HTTP request of this process': [(app, cookie) => app.get('/forget', cookie)],
    'an HTTP request, with mergeHttpSaves': [(app, cookie) => app.get('/forget', cookie), { mergeHttpSaves: true }],
    update: [withoutUser],
    'an update with a slow function': [
      (app, cookie) => app.sessions.update(idOf(cookie), async (s) => [await turn(), delete s.user]),
    ],
    'a save on a socket': [
      (_app, _cookie, { handshake: { session } }) => new Promise((done) => [delete session.user, session.save(done)]),
    ],
    'news of another node': [
      async (app, cookie) => {
        await overwrite(app, cookie)
        hear(app, { changed: [app.sessions.room(idOf(cookie))] })
      },
    ],
    'a re-read of an idle session': [overwrite, { recheck: 20 }],
    'a reload on a socket': [
      async (app, cookie, { handshake: { session } }) => {
        await overwrite(app, cookie)
        session.reload(() => {})
      },
    ],
    'two writes that overlap': [
      (app, cookie) => Promise.all([app.get('/forget', cookie), app.get('/forget', cookie), withoutUser(app, cookie)]),
    ],
    'a script that sets a record on the store': [
      (app, cookie) => void app.store.set(idOf(cookie), { cookie: { originalMaxAge: null } } as never),
    ],
    'a write of which nobody knows what it writes': [
      (app, cookie) => {
        let times = 0
        const toJSON = () => {
          if (times++ === 0) throw new Error('not yet')
          return { cookie: { originalMaxAge: null } }
        }
        app.store.set(idOf(cookie), { cookie: { originalMaxAge: null }, toJSON } as never)
      },
    ],
    'a record that nobody can read': [
      (app, cookie) =>
        void app.store.set(idOf(cookie), {
          cookie: { originalMaxAge: null },
          toJSON() {
            return { cookie: {} }
          },
        } as never),
    ],
  }

  async function overwrite(app: App, cookie: string): Promise<void> {
    const record = { cookie: { originalMaxAge: null } }
    await new Promise((done) => otherProgram(app.store).set(idOf(cookie), record as never, done))
  }

  test.each(Object.entries(changes))(
    '%s closes its idle sockets, and the session goes on',
    async (_what, [change, options]) => {
      for (const authorize of [hasUser, async (session: { user?: unknown }) => Boolean(session.user)]) {
        const app = await start(authorize, options)
        app.express.get('/forget', (req, res) => {
          delete req.session.user
          res.json({})
        })
        app.io.of('/chat').on('connection', () => {})
        const cookie = await app.login()
        const other = await pair(app, await app.login('bob'))
        const pairs = [await pair(app, cookie), await pair(app, cookie)] as const
        const chat = connect(`${app.url}/chat`, cookie)
        await next(chat, 'connect')
        const clients = [...pairs.map(({ client }) => client), chat]
        const closed = Promise.all(clients.map((client) => next(client, 'disconnect')))
        await change(app, cookie, pairs[0].socket)
        expect(new Set(await closed)).toEqual(new Set(['transport close']))
        expect(other.client.connected).toBe(true)
        expect(await next(connect(app.url, cookie), 'connect_error')).toMatchObject(forbidden)
        await app.get('/set/user/ann', cookie)
        await pair(app, cookie)
      }
    },
  )

  test('a client that reconnects by itself is refused with the code', async () => {
    const app = await start(hasUser)
    const cookie = await app.login()
    const { client } = await pair(app, cookie, { reconnection: true, reconnectionDelay: 10 })
    const refused = next(client, 'connect_error')
    await withoutUser(app, cookie)
    expect(await refused).toMatchObject(forbidden)
    expect(app.told).toEqual(['authorize ERR_SESSION_FORBIDDEN'])
  })

  test('while nothing changes it is not asked again: by no event, touch, re-read or write of the same', async () => {
    let asked = 0
    const store = new CountingStore()
    const cookieOptions = { maxAge: 600_000 }
    const app = await start(() => ++asked > 0, {
      store,
      freshFor: 0,
      session: { rolling: true, cookie: cookieOptions },
    })
    const cookie = await app.login()
    const { client, socket } = await pair(app, cookie)
    socket.on('ping', (done) => done())
    for (let times = 0; times < 20; times++) await ask(client, 'ping')
    await app.get('/session', cookie)
    await app.get('/set/user/ann', cookie)
    await app.sessions.update(idOf(cookie), (s) => Object.assign(s, { user: 'ann' }))
    await new Promise((done) => socket.handshake.session.save(done))
    await ask(client, 'ping')
    expect(store.calls.get).toBeGreaterThan(20)
    expect(asked).toBe(1)
    await app.get('/set/user/bob', cookie)
    await ask(client, 'ping')
    expect(asked).toBe(2)
  })

  test('of answers that overlap the one for the newest session counts', async () => {
    for (const newest of [true, false]) {
      const { authorize, asked } = questions()
      const app = await start(authorize)
      const cookie = await app.login()
      const connected = pair(app, cookie)
      ;(await asked()).answer(true)
      const { client, socket } = await connected
      socket.on('who', (done) => done(socket.handshake.session.user))
      const closed = next(client, 'disconnect')
      await app.get('/set/user/bob', cookie)
      const older = await asked()
      await app.get('/set/user/carl', cookie)
      const newer = await asked()
      expect([older.user, newer.user]).toEqual(['bob', 'carl'])
      newer.answer(newest)
      if (newest) expect(await ask(client, 'who')).toBe('carl')
      else await closed
      older.answer(!newest)
      if (newest) expect(await ask(client, 'who')).toBe('carl')
    }
  })

  test('events wait for the answer, keep their order, and never see a session that may not have the socket', async () => {
    const { authorize, asked, open } = questions()
    const app = await start(authorize)
    const cookie = await app.login()
    const connected = pair(app, cookie, { transports: ['polling'] })
    ;(await asked()).answer(true)
    const { client, socket } = await connected
    const seen: unknown[] = []
    const all = new Promise<void>((done) => {
      socket.on('e', (n) => seen.push([n, socket.handshake.session.user]) === 4 && done())
    })
    const came = (n: number) => new Promise<void>((done) => socket.onAny((_e, value) => value === n && done()))
    await app.get('/set/user/bob', cookie)
    const second = await asked()
    const both = came(2)
    client.emit('e', 1).emit('e', 2)
    await both
    await app.get('/set/user/carl', cookie)
    const third = await asked()
    second.answer(true)
    for (let turns = 0; turns < 5; turns++) await turn()
    expect(seen).toEqual([])
    third.answer(true)
    client.emit('e', 3).emit('e', 4)
    await all
    expect(seen).toEqual([1, 2, 3, 4].map((n) => [n, 'carl']))
    await app.get('/set/user/eve', cookie)
    const last = await asked()
    const more = came(6)
    client.emit('e', 5).emit('e', 6)
    await more
    const closed = next(client, 'disconnect')
    for (let times = 0; times < 2; times++) socket.emit('noise') // A connection that has something to send is closed after that.
    last.answer(false)
    await closed
    expect(seen).toHaveLength(4)
    expect(open).toEqual([])
  })

  test('an event that comes with the change is asked about before it is handled', async () => {
    const app = await start(hasUser, { freshFor: 0 })
    const cookie = await app.login()
    const { client, socket } = await pair(app, cookie)
    socket.on('e', () => expect.unreachable('the session has no user any more'))
    const record = { cookie: { originalMaxAge: null } }
    await new Promise((done) => otherProgram(app.store).set(idOf(cookie), record as never, done))
    const closed = next(client, 'disconnect')
    client.emit('e').emit('e')
    await closed
  })

  test('attach(namespace): only the sockets of that namespace are closed', async () => {
    const app = await start(hasUser, { attach: false })
    app.sessions.attach(app.io.of('/admin'))
    app.io.of('/free').on('connection', () => {})
    const cookie = await app.login()
    const { client } = await pair(app, cookie, { forceNew: false, multiplex: true })
    const [admin, free] = [client.io.socket('/admin', {}), client.io.socket('/free', {})]
    await Promise.all([next(admin, 'connect'), next(free, 'connect')])
    const closed = next(admin, 'disconnect')
    await withoutUser(app, cookie)
    expect(await closed).toBe('io server disconnect')
    expect([client.connected, free.connected]).toEqual([true, true])
    admin.connect()
    expect(await next(admin, 'connect_error')).toMatchObject(forbidden)
    await app.get('/set/user/ann', cookie)
    admin.connect()
    await next(admin, 'connect')
  })

  test('attach(namespace): a client that connects to it twice gets two sockets, and both are closed', async () => {
    const app = await start(hasUser, { attach: false })
    app.sessions.attach(app.io.of('/admin'))
    const sockets: Socket[] = []
    const both = new Promise<void>((done) => {
      app.io.of('/admin').on('connection', (socket) => sockets.push(socket) === 2 && done())
    })
    const waiting: (() => void)[] = []
    app.io.of('/admin').use((_socket, next) => {
      if (waiting.push(next) === 2) for (const goOn of waiting) goOn() // Once connected, Socket.IO takes no second connect.
    })
    const cookie = await app.login()
    const { client } = await pair(app, cookie, { forceNew: false, multiplex: true })
    client.io.socket('/admin', {}).connect()
    await both
    const closed = Promise.all(sockets.map((socket) => next(socket, 'disconnect')))
    await withoutUser(app, cookie)
    await closed
    expect(app.io.of('/admin').sockets.size).toBe(0)
    expect(client.connected).toBe(true)
  })

  test.each([true, false])('a session that changes while other middlewares work (attach(io): %s)', async (isWhole) => {
    const app = await start(hasUser, { attach: isWhole })
    app.io.on('connection', (socket) => socket.emit('secret'))
    if (!isWhole) app.sessions.attach(app.io.of('/'))
    const cookie = await app.login()
    let goOn = () => {}
    const held = new Promise<void>((done) => {
      app.io.use((_socket, next) => {
        goOn = next
        done()
      })
    })
    const client = connect(app.url, cookie)
    client.on('secret', () => expect.unreachable('its session may not have a socket'))
    await held
    await withoutUser(app, cookie)
    const closed = new Promise<void>((done) => client.io.once('close', () => done()))
    goOn()
    await closed
  })

  test('a listener of `disconnect` that throws keeps no other socket, and harms nobody', async () => {
    const app = await start(hasUser)
    const cookie = await app.login()
    const [first, second] = [await pair(app, cookie), await pair(app, cookie)]
    first.socket.on('disconnect', () => JSON.parse('{'))
    const closed = [first, second].map(({ client }) => next(client, 'disconnect'))
    await withoutUser(app, cookie)
    await Promise.all(closed)
    expect(app.told).toEqual(['end ERR_SESSION_STORE'])
  })

  test('what a listener of `connect` emits does not reach who is refused by then', async () => {
    const app = await start(hasUser)
    const cookie = await app.login()
    app.io.use((_socket, next) => void withoutUser(app, cookie).then(() => next()))
    app.io.on('connect', (socket) => socket.emit('inbox'))
    const client = connect(app.url, cookie)
    const heard: string[] = []
    client.onAny((event) => heard.push(event))
    await next(client, 'disconnect')
    expect(heard).toEqual([])
  })

  test('a key that JSON cannot hold keeps no other change from being asked about', async () => {
    const app = await start(hasUser)
    const cookie = await app.login()
    const { client, socket } = await pair(app, cookie)
    socket.handshake.session['draft'] = 1n
    expect(await new Promise((done) => socket.handshake.session.save(done))).toMatchObject({
      code: 'ERR_SESSION_STORE',
      cause: expect.any(TypeError),
    })
    const closed = next(client, 'disconnect')
    await withoutUser(app, cookie)
    await closed
    expect(app.told).toEqual([])
  })

  test('a socket that has left its namespace is not asked about', async () => {
    const seen: string[] = []
    const app = await start(((_session, { auth }) => {
      seen.push(String(auth?.['as']))
      return true
    }) satisfies Authorize)
    app.io.of('/admin').on('connection', (socket) => socket.on('disconnect', () => app.io.emit('left')))
    const cookie = await app.login()
    const { client } = await pair(app, cookie, { auth: { as: 'user' }, forceNew: false, multiplex: true })
    const admin = client.io.socket('/admin', { auth: { as: 'admin' } })
    await next(admin, 'connect')
    const left = next(client, 'left')
    admin.disconnect()
    await left
    await app.get('/set/count/1', cookie)
    expect(seen).toEqual(['user', 'admin', 'user'])
  })

  test('two instances on one store decide each for the sockets that they let in', async () => {
    const app = await start(hasUser, { attach: false })
    app.sessions.attach(app.io.of('/users'))
    const options = { store: app.store, secret, authorize: (s: { count?: unknown }) => Number(s.count) !== 1 }
    const others = handshakeSession(options).attach(app.io.of('/counted'))
    onTestFinished(() => others.close())
    const cookie = await app.login()
    const users = connect(`${app.url}/users`, cookie, { forceNew: false })
    await next(users, 'connect')
    const counted = users.io.socket('/counted', {})
    await next(counted, 'connect')
    const second = next(counted, 'disconnect')
    await app.get('/set/count/1', cookie)
    await second
    expect(users.connected).toBe(true)
    await app.sessions.update(idOf(cookie), (s) => Object.assign(s, { count: 2 }))
    counted.connect()
    await next(counted, 'connect')
    const first = next(users, 'disconnect')
    await withoutUser(app, cookie)
    await first
    expect(counted.connected).toBe(true)
  })

  test('authorize may itself do anything with the sessions', async () => {
    const app = await start((session: { user?: unknown }) => {
      if (session.user) return true
      app.sessions.revoke(id).catch(() => {})
      app.sessions.update(id, () => {}).catch(() => {})
      return false
    })
    const cookie = await app.login()
    const id = idOf(cookie)
    const { client } = await pair(app, cookie)
    const closed = next(client, 'disconnect')
    await withoutUser(app, cookie).catch(() => {})
    await closed
    expect(await next(connect(app.url, cookie), 'connect_error')).toMatchObject({
      data: { code: 'ERR_SESSION_NOT_FOUND' },
    })
  })

  test('a socket of an instance that was closed handles no event of a session that may not have it', async () => {
    const app = await start(hasUser)
    const other = handshakeSession({ store: app.store, secret })
    onTestFinished(() => other.close())
    const cookie = await app.login()
    const { client, socket } = await pair(app, cookie)
    socket.on('e', () => expect.unreachable('the session has no user any more'))
    app.sessions.close()
    await other.update(idOf(cookie), (s) => void delete s.user)
    const closed = next(client, 'disconnect')
    client.emit('e')
    await closed
  })

  test('after close() nothing is asked, and the store is as it was', async () => {
    const app = await start(hasUser)
    const registry = SessionRegistry.join(app.store)
    onTestFinished(() => registry.leave())
    expect(registry.listenerCount('changed')).toBe(1)
    app.sessions.close()
    expect(registry.listenerCount('changed')).toBe(0)
  })
})
