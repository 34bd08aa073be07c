/** Nobody gets in without a valid session, and each refusal says its cause: to the app in full, to the client as a code. */
import { sign } from 'cookie-signature'
import session, { type SessionData } from 'express-session'
import type { SessionError, SessionErrorCode, StoreLike } from 'handshake-session'
import type { Socket } from 'socket.io'
import { describe, expect, test } from 'vitest'
import { type App, type ClientOptions, connect, idOf, next, secret, startApp } from './support/app.js'
import { clients } from './support/clients.js'
import { CountingStore } from './support/counting-store.js'

/** A handshake that must be refused. */
interface Case {
  code: SessionErrorCode
  store?: StoreLike
  /** The Cookie header, given that of a valid session. */
  cookie?: (valid: string, app: App) => string | undefined | Promise<string | undefined>
  options?: ClientOptions
  timeout?: number
  /** Calls of `store.get` that the refusal may cost. */
  reads?: number
  /** What `explain` says of it. */
  cause: RegExp
}

type Get = CountingStore['get']

/** A store that works for express-session, and fails as told once it is broken. */
class BreakableStore extends CountingStore {
  broken: Get | undefined

  constructor(readonly failure: Get) {
    super()
  }

  override get(...args: Parameters<Get>): unknown {
    if (!this.broken) super.get(...args)
    else {
      this.calls.get++
      return this.broken(...args)
    }
  }
}

const foreign = { extraHeaders: { origin: 'https://evil.example' } }
const signed = (id: string) => `connect.sid=${encodeURIComponent(`s:${sign(id, secret)}`)}`

const cases: Record<string, Case> = {
  'no cookie': { code: 'ERR_SESSION_COOKIE_MISSING', cookie: () => undefined, cause: /No cookie at all came/ },
  'a cookie of another name, and many that cannot be': {
    code: 'ERR_SESSION_COOKIE_MISSING',
    cookie: () =>
      `theme=dark; ${'x'.repeat(65)}=1; ${'abc-'.repeat(17)}=1; [odd]=1; ${Array.from({ length: 40 }, (_, i) => `n${i}=1`).join('; ')}`,
    cause: /Cookies that came: ("(theme|n\d+)"(, )?){20}$/m,
  },
  'a cookie of another name': {
    code: 'ERR_SESSION_COOKIE_MISSING',
    cookie: () => 'theme=dark',
    cause: /Cookies that came: "theme"/,
  },
  'the right cookie under another name': {
    code: 'ERR_SESSION_COOKIE_MISSING',
    cookie: (valid) => valid.replace('connect.sid', 'sid'),
    cause: /"sid" is signed with our secret: is it the `name`/,
  },
  'a tampered signature': {
    code: 'ERR_SESSION_SIGNATURE',
    cookie: (valid) => `${valid.replace(/\.[^.]*$/, '.')}${'A'.repeat(43)}`,
    cause: /signed with none of the 1 secret/,
  },
  'a signature by another secret': {
    code: 'ERR_SESSION_SIGNATURE',
    cookie: (valid) => `connect.sid=${encodeURIComponent(`s:${sign(idOf(valid), 'other')}`)}`,
    cause: /`secret` is not the one that session\(\) has/,
  },
  'the raw id, unsigned': {
    code: 'ERR_SESSION_SIGNATURE',
    cookie: (valid) => `connect.sid=${idOf(valid)}`,
    cause: /not signed/,
  },
  'a j: cookie': {
    code: 'ERR_SESSION_SIGNATURE',
    cookie: () => `connect.sid=${encodeURIComponent('j:{"id":1}')}`,
    cause: /not signed/,
  },
  'an empty id, signed': { code: 'ERR_SESSION_SIGNATURE', cookie: () => signed(''), cause: /none of the 1 secret/ },
  'an unknown id': {
    code: 'ERR_SESSION_NOT_FOUND',
    cookie: () => signed('unknown'),
    reads: 1,
    cause: /expired or was destroyed/,
  },
  'an expired session': {
    code: 'ERR_SESSION_NOT_FOUND',
    store: new (class extends CountingStore {
      override touch = undefined as never // a store with touch decides by itself

      override get(id: string, callback: (error: unknown, record?: SessionData | null) => void): void {
        super.get(id, (error, record) => callback(error, record && { ...record, cookie: expired(record.cookie) }))
      }
    })(),
    reads: 1,
    cause: /expired or was destroyed/,
  },
  'a store error': {
    code: 'ERR_SESSION_STORE',
    store: new BreakableStore((_id, callback) => callback(new Error('connection to 10.0.0.7 lost'))),
    reads: 1,
    cause: /failed in get\(\)/,
  },
  'a store that fails with a string': {
    code: 'ERR_SESSION_STORE',
    store: new BreakableStore((_id, callback) => callback('down')),
    reads: 1,
    cause: /failed in get\(\)/,
  },
  'a store that throws': {
    code: 'ERR_SESSION_STORE',
    store: new BreakableStore(() => {
      throw new Error('connection to 10.0.0.7 lost')
    }),
    reads: 1,
    cause: /failed in get\(\)/,
  },
  'a store that rejects': {
    code: 'ERR_SESSION_STORE',
    store: new BreakableStore(() => Promise.reject(new Error('down')) as never),
    reads: 1,
    cause: /failed in get\(\)/,
  },
  'a store that calls back twice, first with an error': {
    code: 'ERR_SESSION_STORE',
    store: new BreakableStore((_id, callback) => {
      callback(new Error('down'))
      callback(null, { cookie: new session.Cookie() } as SessionData)
    }),
    reads: 1,
    cause: /failed in get\(\)/,
  },
  'a store that says none, then throws': {
    code: 'ERR_SESSION_NOT_FOUND',
    store: new BreakableStore((_id, callback) => {
      callback(null)
      throw new Error('late')
    }),
    reads: 1,
    cause: /expired or was destroyed/,
  },
  'a store that never answers': {
    code: 'ERR_SESSION_TIMEOUT',
    store: new BreakableStore(() => {}),
    timeout: 50,
    reads: 1,
    cause: /did not answer get\(\) within 50 ms/,
  },
  'a record that is no session': {
    code: 'ERR_SESSION_STORE',
    store: new BreakableStore((_id, callback) => callback(null, { id: 'x' } as never)),
    reads: 1,
    cause: /no session: it has no cookie/,
  },
  'a key document of zappajs': {
    code: 'ERR_SESSION_NOT_FOUND',
    store: new BreakableStore((_id, callback) => callback(null, { id: 'of a session', cookie: {} } as never)),
    reads: 1,
    cause: /expired or was destroyed/,
  },
  'a record that is a string': {
    code: 'ERR_SESSION_STORE',
    store: new BreakableStore((_id, callback) => callback(null, 'garbage' as never)),
    reads: 1,
    cause: /no session: it has no cookie/,
  },
  'a foreign Origin by websocket': {
    code: 'ERR_SESSION_ORIGIN',
    options: { ...foreign, transports: ['websocket'] },
    cause: /"https:\/\/evil.example" connects to "127.0.0.1:\d+".*`origins`/,
  },
  'a foreign Origin by polling': {
    code: 'ERR_SESSION_ORIGIN',
    options: { ...foreign, transports: ['polling'] },
    cause: /`origins`/,
  },
  'a sandboxed page (Origin: null)': {
    code: 'ERR_SESSION_ORIGIN',
    options: { extraHeaders: { origin: 'null' } },
    cause: /"null"/,
  },
  'a cross-site request without Origin (Sec-Fetch-Site)': {
    code: 'ERR_SESSION_ORIGIN',
    options: { extraHeaders: { 'sec-fetch-site': 'cross-site' } },
    cause: /`origins`/,
  },
  'a Cookie header of 1 MB': {
    code: 'ERR_SESSION_COOKIE_MISSING',
    cookie: (valid) => `${valid}; filler=${'x'.repeat(1_000_000)}`,
    options: { transports: ['polling'] },
    cause: /1000\d+ characters; more than 32768 are not read/,
  },
}

function expired(cookie: SessionData['cookie']): SessionData['cookie'] {
  return Object.assign(cookie, { expires: new Date(0) })
}

/** An app, a handshake as the case wants it, and everything that the app hears of it. */
async function prepare(
  { store = new CountingStore(), timeout, cookie = (valid) => valid, options }: Case,
  form: 'options' | 'middleware' = 'options',
) {
  const told: { error: SessionError; stage: string }[] = []
  const app = await startApp({ form, store, timeout, onError: (error, { stage }) => told.push({ error, stage }) })
  app.io.on('connection', () => expect.unreachable('connection'))
  const header = await cookie(await app.login(), app)
  if (store instanceof BreakableStore) store.broken = store.failure
  if (store instanceof CountingStore) store.reset()
  const extraHeaders = { ...options?.extraHeaders, ...(header && { cookie: header }) } as Record<string, string>
  return { app, told, store: store as CountingStore, options: { ...options, extraHeaders } }
}

describe.each(Object.entries(cases))('%s', (_name, given) => {
  test.each(['options', 'middleware'] as const)(
    'is refused with its code, once, and told to the app: %s',
    async (form) => {
      if (given.store instanceof BreakableStore) given.store.broken = undefined
      const { app, told, store, options } = await prepare(given, form)
      const client = connect(app.url, undefined, options)
      const errors: Error[] = []
      client.on('connect_error', (error) => errors.push(error))
      const error = await next<Error>(client, 'connect_error')
      expect(error).toMatchObject({ data: { code: given.code } })
      expect(error.message).not.toMatch(/10\.0\.0\.7|evil|down|\d/)
      await next(connect(app.url, undefined, options), 'connect_error') // by then a second answer would be here
      expect(errors).toHaveLength(1)
      expect(told[0]).toMatchObject({ error: { code: given.code }, stage: 'handshake' })
      expect(store.calls.get).toBe(2 * (given.reads ?? 0))
    },
  )

  test.each(['/admin', '/dynamic-7'])('is refused by %s as well, joined directly', async (namespace) => {
    const { app, options } = await prepare(given)
    app.io.of('/admin').on('connection', () => expect.unreachable('connection'))
    app.io.of(/^\/dynamic-\d+$/).on('connection', () => expect.unreachable('connection'))
    const error = await next(connect(app.url + namespace, undefined, options), 'connect_error')
    expect(error).toMatchObject({ data: { code: given.code } })
  })

  test('explain names the first cause', async () => {
    const { app, options } = await prepare(given)
    const headers = { host: new URL(app.url).host, ...options.extraHeaders }
    const explanation = await app.sessions.explain({ headers })
    expect(explanation).toMatchObject({ accepted: false, code: given.code, cause: expect.stringMatching(given.cause) })
    expect(explanation.steps.map(({ ok }) => ok).lastIndexOf(false)).toBe(explanation.steps.length - 1)
  })
})

test('explain says when express-session was given another store instance', async () => {
  const app = await startApp()
  const { handshakeSession } = await import('handshake-session')
  const sessions = handshakeSession({ store: new session.MemoryStore(), secret: secret })
  const explanation = await sessions.explain({ headers: { cookie: await app.login() } })
  expect(explanation.cause).toMatch(/was not given this store instance/)
  sessions.close()
})

test('explain shows each step of a handshake that is accepted, and neither id nor secret', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const explanation = await app.sessions.explain({ headers: { cookie } })
  expect(explanation.accepted).toBe(true)
  expect(explanation.steps.map(({ step }) => step)).toEqual(['origin', 'cookie', 'signature', 'session'])
  expect(JSON.stringify(explanation)).not.toMatch(new RegExp(`${idOf(cookie)}|${secret}`))
})

test.each(clients.filter(({ eio3 }) => eio3))(
  'client $version hears the code in its error event',
  async ({ connect: io }) => {
    const app = await startApp({ io: { allowEIO3: true } })
    const error = await next(connect(app.url, undefined, {}, io), 'error')
    expect(error).toEqual({ code: 'ERR_SESSION_COOKIE_MISSING' })
  },
)

test('a store that calls back twice with a session lets in once', async () => {
  const store = new BreakableStore((_id, callback) => {
    for (let i = 0; i < 2; i++) callback(null, { cookie: new session.Cookie(), user: 'ann' } as SessionData)
  })
  const app = await startApp({ store })
  const cookie = await app.login()
  store.broken = store.failure
  let connections = 0
  app.io.on('connection', () => connections++)
  await next(connect(app.url, cookie), 'connect')
  await next(connect(app.url), 'connect_error')
  expect(connections).toBe(1)
})

test('required: false: a page of another site connects, without the session', async () => {
  const app = await startApp({ required: false })
  const connection = next<Socket>(app.io, 'connection')
  const extraHeaders = { cookie: await app.login(), origin: 'https://evil.example' }
  await next(connect(app.url, undefined, { extraHeaders, transports: ['websocket'] }), 'connect')
  expect((await connection).handshake.session).toBeUndefined()
})

test.each<[string, Get, SessionErrorCode]>([
  ['fails', (_id, callback) => callback(new Error('down')), 'ERR_SESSION_STORE'],
  ['does not answer', () => {}, 'ERR_SESSION_TIMEOUT'],
])('required: false still refuses when the store %s, and explain says so', async (_what, failure, code) => {
  const store = new BreakableStore(failure)
  const app = await startApp({ store, required: false, timeout: 50 })
  const cookie = await app.login()
  store.broken = store.failure
  expect(await next(connect(app.url, cookie), 'connect_error')).toMatchObject({ data: { code } })
  expect(await app.sessions.explain({ headers: { cookie } })).toMatchObject({ accepted: false, code })
})

test('required: false: a ticket that is refused connects without the session, and explain says so', async () => {
  const app = await startApp({ required: false })
  const connection = next<Socket>(app.io, 'connection')
  const auth = { ticket: 'none of ours' }
  await next(connect(app.url, await app.login(), { auth }), 'connect')
  expect((await connection).handshake.session).toBeUndefined()
  expect(await app.sessions.explain({ headers: {}, auth })).toMatchObject({
    accepted: true,
    code: 'ERR_SESSION_TICKET',
  })
})

test('an onError that throws changes nothing', async () => {
  const app = await startApp({
    onError: () => {
      throw new Error('from onError')
    },
  })
  expect(await next(connect(app.url), 'connect_error')).toMatchObject({ data: { code: 'ERR_SESSION_COOKIE_MISSING' } })
})

describe('origins', () => {
  const page = 'https://app.example.com'
  const rows: [string, object, boolean][] = [
    ['nothing', {}, false],
    ['cors.origin: that origin', { io: { cors: { origin: page } } }, true],
    [
      'cors.origin: an array with a RegExp',
      { io: { cors: { origin: ['https://x.example', /\.example\.com$/] } } },
      true,
    ],
    [
      'cors.origin: a function',
      { io: { cors: { origin: (_o: string, done: (e: null, ok: boolean) => void) => done(null, true) } } },
      true,
    ],
    ['cors.origin: true with credentials', { io: { cors: { origin: true, credentials: true } } }, true],
    ['cors.origin: true without credentials', { io: { cors: { origin: true } } }, false],
    ["cors.origin: '*'", { io: { cors: { origin: '*' } } }, false],
    ['origins: that origin', { origins: page }, true],
    ['origins: another', { origins: ['https://other.example'] }, false],
    ['origins: another, though cors allows it', { origins: [], io: { cors: { origin: page } } }, false],
    ['origins: a RegExp', { origins: /^https:\/\/app\./g }, true],
    ["origins: '*'", { origins: '*' }, true],
    ['origins: a function', { origins: (origin: string) => origin === page }, true],
    ['origins: an async function', { origins: async () => true }, true],
    ['origins: a function that answers something truthy', { origins: () => 'yes' }, false],
    ['origins: an async function that answers something truthy', { origins: async () => 'yes' }, false],
    ['origins: a function that throws', { origins: () => JSON.parse('{') }, false],
    ['origins: a function that rejects', { origins: () => Promise.reject(new Error('no')) }, false],
  ]
  test.each(rows)('%s', async (_name, options, allowed) => {
    const app = await startApp(options)
    const client = connect(app.url, undefined, {
      transports: ['websocket'],
      extraHeaders: { cookie: await app.login(), origin: page },
    })
    const outcome = await next(client, 'connect').then(
      () => true,
      () => false,
    )
    expect(outcome).toBe(allowed)
  })

  test('a page of the server itself always passes', async () => {
    const app = await startApp({ origins: [] })
    await next(connect(app.url, undefined, { extraHeaders: { cookie: await app.login(), origin: app.url } }), 'connect')
  })
})

test('a cookie that was verified is known again, and one that only resembles it is not', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const load = (cookie: string) => app.sessions.load({ headers: { cookie } })
  for (let times = 0; times < 2; times++) {
    expect((await load(cookie)).user).toBe('ann')
    for (const forged of [
      cookie.slice(0, -1),
      `${cookie}A`,
      cookie.replace(/\.[^.]*$/, '.'),
      cookie.replace('s%3A', ''),
    ]) {
      await expect(load(forged)).rejects.toMatchObject({ code: 'ERR_SESSION_SIGNATURE' })
    }
  }
})
