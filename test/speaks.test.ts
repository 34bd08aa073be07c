/** It speaks: what is misconfigured is said, with the cause and how to mend it; to `onError`, and where there is none as a process warning. */
import { once } from 'node:events'
import { sign } from 'cookie-signature'
import session from 'express-session'
import { type HandshakeSessionOptions, handshakeSession, type SessionError } from 'handshake-session'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type App, type AppOptions, connect, idOf, next, pair, secret, startApp } from './support/app.js'
import { CountingStore } from './support/counting-store.js'

const signed = (id: string, by = secret) => `connect.sid=${encodeURIComponent(`s:${sign(id, by)}`)}`
const refused = (app: App, cookie?: string, extraHeaders = {}) =>
  next(connect(app.url, undefined, { extraHeaders: { ...extraHeaders, ...(cookie && { cookie }) } }), 'connect_error')

/** Writes nothing until it is released. */
class HeldStore extends session.MemoryStore {
  #held: (() => void)[] | undefined = []

  override set(...args: Parameters<session.MemoryStore['set']>): void {
    if (this.#held) this.#held.push(() => super.set(...args))
    else super.set(...args)
  }

  release(): void {
    const held = this.#held
    this.#held = undefined
    for (const write of held ?? []) write()
  }
}

describe('without onError', () => {
  let warn = vi.spyOn(process, 'emitWarning')
  beforeEach(() => {
    vi.stubEnv('NODE_ENV', 'development')
    warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    warn.mockRestore()
  })
  const warned = () => warn.mock.calls.map(([, options]) => (options as { code?: string }).code)

  test('the first refusal of each code is a process warning, with its cause', async () => {
    const app = await startApp({ onError: undefined })
    const cookie = await app.login()
    for (let times = 0; times < 2; times++) {
      await refused(app)
      await refused(app, signed(idOf(cookie), 'other'))
      await refused(app, cookie, { origin: 'https://evil.example' })
    }
    expect(warned()).toEqual(['ERR_SESSION_COOKIE_MISSING', 'ERR_SESSION_SIGNATURE', 'ERR_SESSION_ORIGIN'])
    const texts = warn.mock.calls.map(([text]) => String(text))
    expect(texts[0]).toMatch(/no cookie named connect.sid. No cookie at all came\n.*withCredentials/s)
    expect(texts.join()).not.toMatch(new RegExp(`${idOf(cookie)}|${secret}`))
  })

  test('it is a warning of Node, with a name and a code', async () => {
    warn.mockRestore()
    const app = await startApp({ onError: undefined })
    const warning = once(process, 'warning')
    await refused(app, 'connect.sid=x')
    expect(await warning).toMatchObject([{ name: 'SessionWarning', code: 'ERR_SESSION_SIGNATURE' }])
  })

  test('each instance warns for itself', async () => {
    for (let times = 0; times < 2; times++) await refused(await startApp({ onError: undefined }))
    expect(warned()).toEqual(['ERR_SESSION_COOKIE_MISSING', 'ERR_SESSION_COOKIE_MISSING'])
  })

  test.each<[string, AppOptions, string]>([
    ['in production', { onError: undefined }, 'production'],
    ['with onError', { onError: () => {} }, 'development'],
    ['where no session is required', { onError: undefined, required: false }, 'development'],
  ])('%s nothing is', async (_what, options, environment) => {
    vi.stubEnv('NODE_ENV', environment)
    const app = await startApp(options)
    const client = connect(app.url)
    await (options.required === false ? next(client, 'connect') : next(client, 'connect_error'))
    expect(warned()).toEqual([])
  })

  test('where no session is required, a store that fails is', async () => {
    const store = new CountingStore()
    const app = await startApp({ onError: undefined, required: false, store })
    store.get = (_id, callback) => callback(new Error('down'))
    await refused(app, signed('x'))
    expect(warned()).toEqual(['ERR_SESSION_STORE'])
  })
})

describe('onError gets what explain knows', () => {
  async function start(options: AppOptions = {}) {
    const told: string[] = []
    const app = await startApp({ ...options, onError: (error: SessionError) => void told.push(error.message) })
    return Object.assign(app, { told })
  }

  test.each<[string, (valid: string) => string, RegExp]>([
    [
      'no cookie',
      () => '',
      /^the handshake has no cookie named connect.sid. No cookie at all came\nThe usual reasons:\n- /,
    ],
    [
      'other cookies',
      () => 'theme=dark; lang=en',
      /connect.sid. Cookies that came: "theme", "lang"\nThe usual reasons:/,
    ],
    [
      'its cookie, under another name',
      (valid) => valid.replace('connect.sid', 'sid'),
      /"sid" is signed with our secret/,
    ],
    [
      'a cookie of another secret',
      (valid) => signed(idOf(valid), 'x'),
      /\n- the secret of cookie-parser is another one/,
    ],
    [
      'a cookie without s:',
      (valid) => valid.replace('s%3A', ''),
      /signs it. It is signed with our secret, but without `s:`\n.*cookiePrefix/,
    ],
    [
      'an unsigned cookie',
      () => 'connect.sid=x',
      /signs it\n- other session libraries sign without `s:`.*@fastify\/session/,
    ],
    ['two cookies of one name', (valid) => `${signed('x', 'y')}; a=b; ${valid}`, /Two cookies of that name came/],
    ['a session that is gone', () => signed('gone'), /The cookie is genuine, so the session expired or was destroyed/],
  ])('%s', async (_what, cookie, message) => {
    for (const form of ['options', 'middleware'] as const) {
      const app = await start({ form })
      const valid = await app.login()
      await refused(app, cookie(valid))
      expect(app.told).toEqual([expect.stringMatching(message)])
      const { cause } = await app.sessions.explain({ headers: { cookie: cookie(valid) } })
      expect(
        cause?.replace(
          'the store has no such session',
          'the session is no longer in the store: it was destroyed or expired',
        ),
      ).toBe(app.told[0])
    }
  })

  test('one cookie of that name is not called two', async () => {
    const app = await start()
    await refused(app, `${signed('x', 'y')}; xconnect.sid=1; a=connect.sid=2`)
    expect(app.told[0]).not.toMatch(/Two cookies/)
  })

  test('a page of another site: nginx, and what cors.origin: * means', async () => {
    const app = await start({ io: { cors: { origin: '*' } } })
    await refused(app, await app.login(), { origin: 'https://page.example' })
    expect(app.told[0]).toMatch(
      /`origins`\n- nginx in front: `proxy_set_header Host \$host`.*\n- `cors.origin: '\*'` names nobody/,
    )
  })

  test('express-session has another store', async () => {
    const app = await start({ attach: false })
    const told: string[] = []
    const onError = (error: SessionError) => void told.push(error.message)
    const sessions = handshakeSession({ store: new session.MemoryStore(), secret, onError }).attach(app.io)
    onTestFinished(() => sessions.close())
    await refused(app, await app.login())
    expect(told[0]).toMatch(/express-session in this process was given another store instance/)
  })

  test('a session that was not saved yet when the socket came, by cookie and by ticket', async () => {
    const store = new HeldStore()
    const app = await start({ store })
    const writing = new Promise<void>((done) => {
      app.express.get('/redirect', (req, res) => {
        req.session.user = 'ann'
        cookie = signed(req.sessionID)
        req.session.save(() => res.json({}))
        done()
      })
    })
    let cookie = ''
    const response = app.get('/redirect', '')
    await writing
    await refused(app, cookie)
    expect(app.told.at(-1)).toMatch(/The session was not saved yet when the socket came/)
    const ticket = app.sessions.ticket({ session: {}, sessionID: idOf(cookie) })
    const { cause } = await app.sessions.explain({ headers: {}, auth: { ticket } })
    expect(cause).toMatch(/was not saved yet/)
    store.release()
    await response
    await pair(app, cookie)
  })

  test.each([
    ['names', /Cookies that came: "a"/, 'a='],
    ['two of a name', /Two cookies of that name/, 'connect.sid=s:x.y; connect.sid='],
  ])('%s are looked for in 8,192 characters of cookies, and in no more', async (_what, hint, start) => {
    const { sessions } = await startApp()
    const explain = async (length: number) =>
      (await sessions.explain({ headers: { cookie: start.padEnd(length, 'x') } })).cause
    expect(await explain(8_192)).toMatch(hint)
    expect(await explain(8_193)).not.toMatch(hint)
  })

  test('in the next second there are hints again', async () => {
    const app = await start()
    const told = () => refused(app).then(() => app.told.at(-1))
    const clock = vi.spyOn(performance, 'now')
    onTestFinished(() => clock.mockRestore())
    clock.mockReturnValue(1_000_000)
    for (let times = 0; times < 10; times++) expect(await told()).toMatch(/No cookie at all came/)
    expect(await told()).not.toMatch(/No cookie at all came/)
    clock.mockReturnValue(1_001_000)
    expect(await told()).toMatch(/No cookie at all came/)
  })

  test('a refusal keeps its cause', async () => {
    const causes: unknown[] = []
    const store = new CountingStore()
    const app = await startApp({ store, onError: ({ cause }) => void causes.push(cause) })
    const failure = new Error('down')
    store.get = (_id, callback) => callback(failure)
    await refused(app, signed('x'))
    expect(causes).toEqual([failure])
  })

  test('of a flood only a few a second are looked at', async () => {
    const app = await start()
    for (let times = 0; times < 60; times++) await app.sessions.load({ headers: {} }).catch(() => {})
    await Promise.all(Array.from({ length: 60 }, () => refused(app)))
    const hinted = app.told.filter((message) => message.includes('No cookie at all came'))
    expect(app.told).toHaveLength(60)
    expect(hinted.length).toBeGreaterThanOrEqual(10)
    expect(hinted.length).toBeLessThanOrEqual(30) // Ten in each second that it took.
  })
})

describe('a misspelt option', () => {
  const options = { store: new session.MemoryStore(), secret }
  test.each([
    ['origin', 'origins'],
    ['require', 'required'],
    ['freshfor', 'freshFor'],
    ['authorise', 'authorize'],
    ['auth', undefined],
    ['authorization', 'authorize'],
    ['rekuired', undefined],
    ['mergeHTTPSaves', 'mergeHttpSaves'],
    ['onerror', 'onError'],
    ['timeOut', 'timeout'],
    ['cors', undefined],
    ['__proto', undefined],
  ])('%s throws, and %s is what was meant, by its first letters', (given, meant) => {
    const expected = given === 'auth' ? 'authorize' : meant
    const text = expected ? `is no option: do you mean \`${expected}\`?` : 'is no option: there are authorize'
    const both = [
      () => handshakeSession({ ...options, [given]: undefined } as HandshakeSessionOptions),
      () => handshakeSession(session({ secret, resave: false, saveUninitialized: false }), { [given]: true }),
    ]
    for (const call of both) {
      expect(call).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' }))
      expect(call).toThrow(text)
    }
  })

  test('one of express-session is none', () => {
    const ofSession = {
      cookie: {},
      genid: () => 'x',
      proxy: true,
      resave: false,
      rolling: true,
      saveUninitialized: true,
      unset: 'keep',
    }
    handshakeSession({ ...options, ...ofSession } as HandshakeSessionOptions).close()
  })
})

describe('a middleware that was added before attach', () => {
  const early = /a middleware that was added before attach\(\) looked for the session.*call attach\(\) first/
  type Look = (socket: { handshake: { session?: unknown }; request: unknown }) => unknown

  /** Looks before attach, and after. */
  async function visit(look: Look, options: AppOptions = {}) {
    const told: string[] = []
    const app = await startApp({
      attach: false,
      ...options,
      onError: (error: SessionError) => void told.push(error.message),
    })
    const seen: unknown[] = []
    const middleware = (socket: never, next: () => void) => {
      seen.push(look(socket))
      next()
    }
    app.io.use(middleware as never)
    app.sessions.attach(app.io).attach(app.io)
    app.io.use(middleware as never)
    const cookie = await app.login()
    const { socket } = await pair(app, cookie)
    await pair(app, cookie)
    return { app, told, seen, socket, cookie }
  }

  test.each<[string, Look]>([
    ['the handshake', ({ handshake }) => handshake.session],
    ['the request', ({ request }) => (request as { session?: unknown }).session],
  ])('and looks for it on %s is told so, once; and after attach it is there', async (_where, look) => {
    const { told, seen, socket } = await visit(look)
    expect(told).toEqual([expect.stringMatching(early)])
    expect(seen[0]).toBeUndefined()
    expect(seen[1]).toBe(socket.handshake.session)
    expect(Object.getOwnPropertyDescriptor(socket.handshake, 'session')).toMatchObject({
      value: socket.handshake.session,
      enumerable: true,
      writable: true,
    })
  })

  test('and looks for something else is not', async () => {
    const { told } = await visit(({ handshake }) => Object.keys(handshake).includes('session') || handshake)
    expect(told).toEqual([])
  })

  test('and puts a session there itself has it until the guard puts ours', async () => {
    const own = { own: true }
    const { told, seen, socket } = await visit(({ handshake }) => {
      handshake.session = own
      return handshake.session
    })
    expect([told, seen[0]]).toEqual([[], own])
    expect(socket.handshake.session).toBe(own) // As the one that was added after attach has left it.
  })

  test('and a session that is there already, of another middleware, is left alone', async () => {
    const told: string[] = []
    const app = await startApp({ attach: false, required: false, onError: (error) => void told.push(error.code) })
    const own = { own: true }
    app.io.engine.use((req: object, _res: unknown, next: () => void) => {
      Object.assign(req, { session: own })
      next()
    })
    app.io.use((socket, next) =>
      next((socket.request as { session?: unknown }).session === own ? undefined : new Error('x')),
    )
    app.sessions.attach(app.io)
    await next(connect(app.url), 'connect')
    expect(told).toEqual(['ERR_SESSION_COOKIE_MISSING'])
  })

  test('and what it puts there itself, is there for those after it', async () => {
    const app = await startApp({ attach: false, required: false, onError: () => {} })
    const own = { own: true }
    app.io.use((socket, next) => {
      Object.assign(socket.request, { session: own })
      next((socket.request as { session?: unknown }).session === own ? undefined : new Error('x'))
    })
    app.sessions.attach(app.io)
    await next(connect(app.url), 'connect')
  })

  test('in production is not watched', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { told, app } = await visit(({ handshake }) => handshake.session)
    expect(told).toEqual([])
    expect((app.io.of('/') as unknown as { _fns: unknown[] })._fns).toHaveLength(3)
  })

  test('whoever has no session where none is required finds none after attach, and is told nothing', async () => {
    const told: string[] = []
    const app = await startApp({ attach: false, required: false, onError: (error) => void told.push(error.code) })
    app.io.use((_socket, next) => next())
    app.sessions.attach(app.io)
    app.io.use(({ handshake, request }, next) =>
      next('session' in handshake || 'session' in request ? new Error('x') : undefined),
    )
    await next(connect(app.url), 'connect')
    expect(told).toEqual(['ERR_SESSION_COOKIE_MISSING'])
  })

  test('of a second instance, one between the two is not told', async () => {
    const told: string[] = []
    const app = await startApp({ required: false, onError: (error) => void told.push(error.code) })
    app.io.use(({ handshake }, next) => next(handshake.session ? new Error('x') : undefined))
    const onError = (error: SessionError) => void told.push(error.code)
    const second = handshakeSession({ store: app.store, secret, required: false, onError }).attach(app.io)
    onTestFinished(() => second.close())
    await next(connect(app.url), 'connect')
    expect(told).toEqual(['ERR_SESSION_COOKIE_MISSING', 'ERR_SESSION_COOKIE_MISSING'])
  })
})
