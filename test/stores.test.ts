/** One contract, on every store that is known to work. */
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisStore } from 'connect-redis'
import session from 'express-session'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type App, ask, connect, idOf, next, pair, startApp } from './support/app.js'
import { read, write } from './support/other-program.js'
import { startRedis } from './support/services.js'
import { type OpenStore, openRedis, stores } from './support/stores.js'

describe.each(Object.entries(stores))('%s', (_name, open) => {
  let opened: OpenStore
  beforeAll(async () => {
    opened = await open()
  }, 600_000)
  afterAll(() => opened.close())
  afterEach(() => {
    // What express-session listens to, and leaves on the store.
    for (const event of ['connect', 'disconnect']) opened.store.removeAllListeners(event)
  })

  /** An app on the store, in which sessions last for a minute. */
  const start = (options = {}): Promise<App> =>
    startApp({ store: opened.store as never, session: { cookie: { maxAge: 60_000 } }, ...options })

  test('the session is on the handshake, a Session that can be saved, and keeps what HTTP changes', async () => {
    const app = await start()
    const cookie = await app.login()
    const { socket } = await pair(app, cookie)
    await app.get('/set/theme/dark', cookie)
    expect(socket.handshake.session).toMatchObject({ user: 'ann', theme: 'dark' })
    socket.handshake.session.count = 1
    await new Promise<void>((done, fail) => socket.handshake.session.save((error) => (error ? fail(error) : done())))
    expect(await app.get('/session', cookie)).toMatchObject({ user: 'ann', theme: 'dark', count: 1 })
  })

  test('20 parallel updates make 20', async () => {
    const app = await start()
    const cookie = await app.login()
    const update = () => app.sessions.update(idOf(cookie), (s) => (s.count = (s.count ?? 0) + 1))
    await Promise.all(Array.from({ length: 20 }, update))
    expect(await app.get('/session', cookie)).toMatchObject({ count: 20 })
  })

  test('an update that another program overtakes builds on what that one wrote, if it differs only by case', async () => {
    const app = await start()
    const cookie = await app.login()
    await app.get('/set/theme/dark', cookie)
    let runs = 0
    await app.sessions.update(idOf(cookie), async (s) => {
      if (++runs === 1) await writeUnseen(opened.store, idOf(cookie), 'theme', 'DARK')
      s.count = 1
    })
    expect(await app.get('/session', cookie)).toMatchObject({ theme: 'DARK', count: 1 })
  })

  test('a session that expires is over: its socket is closed, and no update finds it', async () => {
    const app = await start({ session: { cookie: { maxAge: 1_000 } } })
    const cookie = await app.login()
    const { client } = await pair(app, cookie)
    await next(client, 'disconnect')
    await expect(app.sessions.update(idOf(cookie), () => {})).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
  })

  test('a session that is written as one that is over does not stay', async () => {
    const app = await start()
    const cookie = await app.login()
    await app.sessions.update(idOf(cookie), (s) => {
      s.cookie.maxAge = -500
    })
    await vi.waitFor(async () => expect(await read(opened.store, idOf(cookie)).catch(() => {})).toBeFalsy(), 5_000)
  })

  test('a client event extends it', async () => {
    const app = await start({ session: { cookie: { maxAge: 2_000 } } })
    app.io.on('connection', (each) => each.on('work', (answer) => answer()))
    const cookie = await app.login()
    const { client, socket } = await pair(app, cookie)
    const before = Number(socket.handshake.session.cookie.expires)
    await expect
      .poll(async () => {
        await ask(client, 'work')
        return Number(socket.handshake.session.cookie.expires)
      })
      .toBeGreaterThan(before)
  })

  test('a session that is active by client events lives on past its first expiry, and a write keeps it', async () => {
    const app = await start({ session: { cookie: { maxAge: 1_500 } }, freshFor: 100 })
    app.io.on('connection', (each) => each.on('work', (answer) => answer(each.handshake.session.user)))
    const cookie = await app.login()
    const { client } = await pair(app, cookie)
    for (const started = Date.now(); Date.now() - started < 3_500; await sleep(50)) {
      expect(await ask(client, 'work')).toBe('ann')
    }
    await app.sessions.update(idOf(cookie), (s) => (s.count = 1))
    await sleep(500)
    expect(await app.get('/session', cookie)).toMatchObject({ user: 'ann', count: 1 })
  })

  test.each(['logout', 'regenerate'])(
    'after %s there is no record, the socket is closed, and nothing brings it back',
    async (route) => {
      const app = await start()
      const cookie = await app.login()
      const { client, socket } = await pair(app, cookie)
      const closed = next(client, 'disconnect')
      await app.get(`/${route}`, cookie)
      await closed
      socket.handshake.session.count = 1
      const error = await new Promise((saved) => socket.handshake.session.save(saved))
      expect(error).toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
      expect(await read(opened.store, idOf(cookie)).catch(() => undefined)).toBeFalsy()
      expect(await next(connect(app.url, cookie), 'connect_error')).toMatchObject({
        data: { code: 'ERR_SESSION_NOT_FOUND' },
      })
    },
  )

  test('an unknown id is not found', async () => {
    const app = await start()
    await expect(app.sessions.update('unknown', () => {})).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
  })

  test('it inflates to a Session of express-session, or one like it', async () => {
    const app = await start()
    const { socket } = await pair(app, await app.login())
    const methods = ['save', 'reload', 'destroy', 'regenerate', 'touch'] as const
    for (const method of methods) expect(socket.handshake.session[method]).toBeTypeOf('function')
    expect(socket.handshake.session.cookie).toBeInstanceOf(session.Cookie)
  })
})

/** As a program that we do not see: by the store's class, past what observes this instance. */
function writeUnseen(store: session.Store, id: string, key: string, value: unknown): Promise<void> {
  const { get, set } = Object.getPrototypeOf(store) as session.Store
  return write({ get: get.bind(store), set: set.bind(store) } as session.Store, id, key, value)
}

type Done = (error?: unknown, record?: object) => void

const encrypted = (record: object) =>
  ({ cookie: {}, secret: Buffer.from(JSON.stringify(record)).toString('base64') }) as never
const decrypted = (found?: object) => found && JSON.parse(Buffer.from(Object(found).secret, 'base64').toString())

/** On Redis, without writing there what it was given. */
class EncryptingStore extends RedisStore {
  override get(id: string, done: Done) {
    return super.get(id, (error, found) => done(error, decrypted(found)))
  }

  override set(id: string, record: object, done: Done) {
    return super.set(id, encrypted(record), done)
  }
}

/** All that is looked at is of one class. */
class ThoroughStore extends EncryptingStore {
  override get(id: string, done: Done) {
    return super.get(id, done)
  }

  override set(id: string, record: object, done: Done) {
    return super.set(id, record, done)
  }

  override destroy(id: string, done: Done) {
    return super.destroy(id, done)
  }
}

type Client = RedisStore['client']

/** Reads it by the serializer. */
class WritingStore extends RedisStore {
  override set(id: string, record: object, done: Done) {
    return super.set(id, encrypted(record), done)
  }
}

/** A store of no class that has such methods. */
function storeOfItsOwn(client: Client): session.Store {
  const own = new EncryptingStore({ client })
  const methods = { get: own.get.bind(own), set: own.set.bind(own), destroy: own.destroy.bind(own) }
  return Object.assign(Object.create(session.Store.prototype), own, methods)
}

const serializer = { stringify: JSON.stringify, parse: (text: string) => decrypted(JSON.parse(text)) }

test.each<[string, (client: Client) => object]>([
  ['by two methods of its class', (client) => new EncryptingStore({ client })],
  ['by one method of its class', (client) => new WritingStore({ client, serializer })],
  ['by all methods of its class', (client) => new ThoroughStore({ client })],
  ['by methods of the instance', storeOfItsOwn],
])(
  'a store that encrypts %s is not passed by',
  async (_how, open) => {
    const redis = await startRedis()
    const { store, close } = await openRedis(redis.url)
    onTestFinished(() => close().then(() => redis.stop()))
    const { client } = store as RedisStore
    const app = await startApp({ store: open(client) as session.Store })
    const cookie = await app.login()
    await app.sessions.update(idOf(cookie), (s) => (s.count = 7))
    expect(await app.get('/session', cookie)).toMatchObject({ user: 'ann', count: 7 })
    expect(await client.get(`sess:${idOf(cookie)}`)).toMatch(/^{"cookie":{},"secret":"[^"]*"}$/)
  },
  60_000,
)
