/** One contract, on every store that is known to work. */
import { setTimeout as sleep } from 'node:timers/promises'
import session from 'express-session'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type App, ask, connect, idOf, next, pair, startApp } from './support/app.js'
import { read } from './support/other-program.js'
import { type OpenStore, stores } from './support/stores.js'

describe.each(Object.entries(stores))('%s', (_name, open) => {
  let opened: OpenStore
  beforeAll(async () => {
    opened = await open()
  }, 600_000)
  afterAll(() => opened.close())

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
