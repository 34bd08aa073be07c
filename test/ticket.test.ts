/** Tickets: the session for clients that cannot send the cookie. 60 seconds, once, bound to the session. */
import session from 'express-session'
import { handshakeSession } from 'handshake-session'
import { Tickets } from 'handshake-session/internals'
import type { Socket } from 'socket.io'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type App, connect, idOf, next, nextAsks, pair, secret, startApp } from './support/app.js'
import { CountingStore } from './support/counting-store.js'
import { FaultyStore } from './support/faulty-store.js'
import { otherProgram, read } from './support/other-program.js'

async function startTicketApp(options = {}): Promise<App> {
  const app = await startApp(options)
  app.express.get('/ticket', (req, res) => res.json(app.sessions.ticket(req)))
  return app
}

/** Connects with a ticket and no cookie, as a page of another site would. */
function connectWith(app: App, ticket: unknown) {
  return connect(app.url, undefined, { auth: { ticket }, extraHeaders: { origin: 'https://elsewhere.example' } })
}

test('a ticket lets in without a cookie, from any origin, with the session it was issued for', async () => {
  const app = await startTicketApp()
  const cookie = await app.login()
  const connection = next<Socket>(app.io, 'connection')
  const client = connectWith(app, await app.get('/ticket', cookie))
  await next(client, 'connect')
  const { handshake } = await connection
  expect(handshake.session.user).toBe('ann')
  expect(handshake.sessionID).toBe(idOf(cookie))
})

test('the socket has the same life as with a cookie: logout closes it', async () => {
  const app = await startTicketApp()
  const cookie = await app.login()
  const client = connectWith(app, await app.get('/ticket', cookie))
  await next(client, 'connect')
  const closed = next(client, 'disconnect')
  await app.get('/logout', cookie)
  await closed
})

test('it is good once, also when a slow HTTP request overwrites the session meanwhile', async () => {
  const app = await startTicketApp()
  const cookie = await app.login()
  const ticket = await app.get('/ticket', cookie)
  app.express.get('/slow', async (req, res) => {
    await next(connectWith(app, ticket), 'connect')
    req.session.count = 1
    res.json({})
  })
  await app.get('/slow', cookie)
  expect(await read(app.store, idOf(cookie))).not.toHaveProperty('__tickets')
  expect(await next(connectWith(app, ticket), 'connect_error')).toMatchObject({ data: { code: 'ERR_SESSION_TICKET' } })
  const explanation = await app.sessions.explain({ headers: {}, auth: { ticket } })
  expect(explanation).toMatchObject({ accepted: false, code: 'ERR_SESSION_TICKET' })
})

test('of many handshakes at once with one ticket, one gets in', async () => {
  const app = await startTicketApp()
  const ticket = await app.get('/ticket', await app.login())
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => next(connectWith(app, ticket), 'connect')))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

test('sockets that come by two tickets at once share one session object', async () => {
  class HeldStore extends CountingStore {
    held: (() => void)[] | undefined

    override set(...args: Parameters<CountingStore['set']>): void {
      if (this.held) this.held.push(() => super.set(...args))
      else super.set(...args)
    }
  }
  const store = new HeldStore()
  const app = await startTicketApp({ store })
  const cookie = await app.login()
  const sockets: Socket[] = []
  app.io.on('connection', (socket) => sockets.push(socket))
  const tickets = [await app.get('/ticket', cookie), await app.get('/ticket', cookie)]
  store.reset()
  store.held = []
  const first = next(connectWith(app, tickets[0]), 'connect')
  await vi.waitFor(() => expect(store.held).toHaveLength(1))
  const asked = nextAsks(app)
  const second = next(connectWith(app, tickets[1]), 'connect')
  await asked
  const { held } = store
  store.held = undefined
  for (const release of held) release()
  await Promise.all([first, second])
  expect(sockets[0]?.handshake.session).toBe(sockets[1]?.handshake.session)
})

test('single use holds across processes that share the store', async () => {
  const app = await startTicketApp()
  const ticket = await app.get('/ticket', await app.login())
  await next(connectWith(app, ticket), 'connect')
  const elsewhere = handshakeSession({ store: otherProgram(app.store), secret })
  const handshake = { headers: {}, auth: { ticket } }
  expect(await elsewhere.explain(handshake)).toMatchObject({ accepted: false, code: 'ERR_SESSION_TICKET' })
  await expect(elsewhere.load(handshake)).rejects.toMatchObject({
    code: 'ERR_SESSION_TICKET',
    message: expect.stringContaining('used before'),
  })
  for (const sessions of [app.sessions, elsewhere]) {
    expect(await sessions.explain(handshake)).toMatchObject({
      accepted: false,
      code: 'ERR_SESSION_TICKET',
      steps: [
        { step: 'ticket', ok: true },
        { step: 'session', ok: true },
        { step: 'ticket', ok: false },
      ],
    })
  }
  elsewhere.close()
})

test('three namespaces of one connection need one ticket', async () => {
  const app = await startTicketApp()
  app.io.of('/a')
  const auth = { ticket: await app.get('/ticket', await app.login()) }
  app.io.of('/b')
  const client = connect(app.url, undefined, { auth })
  const others = ['/a', '/b'].map((name) => client.io.socket(name, { auth }).connect())
  await Promise.all([client, ...others].map((each) => next(each, 'connect')))
})

test('also where all three ask before it is redeemed', async () => {
  let held: (() => void)[] | undefined
  class HeldStore extends CountingStore {
    override get(...args: Parameters<CountingStore['get']>): void {
      if (held) held.push(() => super.get(...args))
      else super.get(...args)
    }
  }
  const app = await startTicketApp({ store: new HeldStore(), attach: false })
  const asked: string[] = []
  for (const name of ['/', '/a', '/b']) {
    app.io.of(name).use((_socket, pass) => {
      asked.push(name)
      pass()
    })
  }
  app.sessions.attach(app.io)
  const auth = { ticket: await app.get('/ticket', await app.login()) }
  held = []
  const client = connect(app.url, undefined, { auth })
  const others = ['/a', '/b'].map((name) => client.io.socket(name, { auth }).connect())
  const connected = Promise.all([client, ...others].map((each) => next(each, 'connect')))
  await vi.waitFor(() => expect([asked.length, held?.length]).toEqual([3, 1]))
  for (const release of held.splice(0)) release()
  held = undefined
  await connected
})

test('a further namespace of a connection is let in with a ticket of the same session, not with that of another user', async () => {
  const app = await startTicketApp()
  for (const name of ['/used', '/more']) app.io.of(name)
  const [ann, bob] = [await app.login('ann'), await app.login('bob')]
  const [ticket, others] = [await app.get('/ticket', ann), await app.get('/ticket', bob)]
  await app.sessions.load({ headers: {}, auth: { ticket: ticket as string } })
  const { client } = await pair(app, ann, { transports: ['websocket'] })
  const join = (name: string, ticket: unknown) => client.io.socket(name, { auth: { ticket } as never })
  await next(join('/used', ticket), 'connect')
  const refused = next(join('/more', others), 'connect_error')
  expect(await refused).toMatchObject({ data: { code: 'ERR_SESSION_CONFLICT' } })
})

test('one whose cookie is still looked up is refused where a ticket of another user was quicker', async () => {
  let held: (() => void)[] | undefined
  class HeldStore extends CountingStore {
    override get(...args: Parameters<CountingStore['get']>): void {
      if (held && args[0] === idOf(ann)) held.push(() => super.get(...args))
      else super.get(...args)
    }
  }
  const app = await startTicketApp({ store: new HeldStore() })
  app.io.of('/more')
  const [ann, bob] = [await app.login('ann'), await app.login('bob')]
  const ticket = await app.get('/ticket', bob)
  held = []
  const client = connect(app.url, ann)
  const refused = next(client, 'connect_error')
  await vi.waitFor(() => expect(held).toHaveLength(1))
  await next(client.io.socket('/more', { auth: { ticket: ticket as string } }), 'connect')
  for (const release of held) release()
  expect(await refused).toMatchObject({ data: { code: 'ERR_SESSION_CONFLICT' } })
})

test('after 60 seconds it is too old', async () => {
  const app = await startTicketApp()
  const cookie = await app.login()
  const ticket = await app.get('/ticket', cookie)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_001 })
  try {
    await expect(app.sessions.load({ headers: {}, auth: { ticket } })).rejects.toMatchObject({
      code: 'ERR_SESSION_TICKET',
      message: expect.stringContaining('older than 60 s'),
    })
  } finally {
    vi.useRealTimers()
  }
})

test('whose ticket it was can be told also when it is too old', () => {
  const tickets = new Tickets([secret])
  const ticket = tickets.issue('id')
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_001 })
  onTestFinished(() => void vi.useRealTimers())
  expect(() => tickets.read(ticket)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_TICKET' }))
  expect([tickets.isFor('id', ticket), tickets.isFor('other', ticket)]).toEqual([true, false])
})

test('100 of a session are used within a minute, and no more; after that minute they are forgotten', async () => {
  const app = await startTicketApp()
  const cookie = await app.login()
  const show = () => {
    const ticket = app.sessions.ticket({ session: {}, sessionID: idOf(cookie) })
    return app.sessions.load({ headers: {}, auth: { ticket } })
  }
  for (let times = 0; times < 100; times++) await show()
  await expect(show()).rejects.toMatchObject({
    code: 'ERR_SESSION_TICKET',
    message: expect.stringContaining('100 of this session'),
  })
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_001 })
  try {
    await show()
  } finally {
    vi.useRealTimers()
  }
  expect(Object.keys((await read(app.store, idOf(cookie)))?.['__tickets'] as object)).toHaveLength(1)
})

test('a process remembers that a ticket was used as long as it would be good, and no longer', async () => {
  const tickets = new Tickets([secret])
  const forgetful = { update: async (mark: (session: object) => void) => mark({}) } as never
  const late = { id: 'id', nonce: 'late', expires: Date.now() - 1 }
  const good = { id: 'id', nonce: 'good', expires: Date.now() + 60_000 }
  for (const ticket of [late, good, late]) await tickets.redeem(ticket, forgetful)
  await expect(tickets.redeem(good, forgetful)).rejects.toMatchObject({ code: 'ERR_SESSION_TICKET' })
})

test('a process remembers that a session said so, when that no longer does', async () => {
  const tickets = new Tickets([secret])
  const ticket = { id: 'id', nonce: 'used', expires: Date.now() + 60_000 }
  for (const used of [{ used: ticket.expires }, {}]) {
    const update = async (mark: (session: object) => void) => mark({ __tickets: used })
    await expect(tickets.redeem(ticket, { update } as never)).rejects.toMatchObject({ code: 'ERR_SESSION_TICKET' })
  }
})

test('after close() a ticket lets nobody in, and is not even looked up', async () => {
  const store = new CountingStore()
  const app = await startTicketApp({ store })
  const ticket = await app.get('/ticket', await app.login())
  app.sessions.close()
  store.reset()
  expect(await next(connectWith(app, ticket), 'connect_error')).toMatchObject({ data: { code: 'ERR_SESSION_ENDED' } })
  expect(store.calls).toEqual({ get: 0, set: 0, touch: 0, destroy: 0 })
})

test('after the session is revoked its ticket is worth nothing', async () => {
  const app = await startTicketApp()
  const cookie = await app.login()
  const ticket = await app.get('/ticket', cookie)
  await app.sessions.revoke(idOf(cookie))
  expect(await next(connectWith(app, ticket), 'connect_error')).toMatchObject({
    data: { code: 'ERR_SESSION_NOT_FOUND' },
  })
})

test('it tells neither the id nor the secret, and no two are alike', async () => {
  const app = await startTicketApp()
  const cookie = await app.login()
  const tickets = [await app.get('/ticket', cookie), await app.get('/ticket', cookie)].map(String)
  expect(tickets[0]).not.toBe(tickets[1])
  for (const ticket of tickets) {
    const content = Buffer.from(ticket, 'base64url').toString('latin1')
    expect(ticket + content).not.toContain(idOf(cookie))
    expect(ticket + content).not.toContain(secret)
  }
})

test('secrets can be rotated: a ticket of the old one is still good', async () => {
  const store = new session.MemoryStore()
  const old = await startTicketApp({ store, secret: 'old' })
  const ticket = await old.get('/ticket', await old.login())
  const app = await startTicketApp({ store, secret: ['new', 'old'] })
  await next(connectWith(app, ticket), 'connect')
})

describe('anything else in its place is refused, and ends nothing', () => {
  const changed = (ticket: string) => ticket.slice(0, -3) + (ticket.endsWith('AAA') ? 'BBB' : 'AAA')
  const rows: [string, (ticket: string) => unknown][] = [
    ['null', () => null],
    ['a number', () => 7],
    ['an object', () => ({ toString: 'x' })],
    ['an array', () => ['x']],
    ['an empty string', () => ''],
    ['a short string', () => 'abc'],
    ['a huge string', () => 'A'.repeat(100_000)],
    ['a ticket with more than belongs to it', (ticket) => `${ticket}${' '.repeat(1_000)}`],
    ['a changed ticket', changed],
    ['a truncated ticket', (ticket) => ticket.slice(0, 40)],
  ]
  test.each(rows)('%s', async (_name, forge) => {
    const app = await startTicketApp()
    const ticket = forge(String(await app.get('/ticket', await app.login())))
    expect(await next(connectWith(app, ticket), 'connect_error')).toMatchObject({
      data: { code: 'ERR_SESSION_TICKET' },
    })
    const explanation = await app.sessions.explain({ headers: {}, auth: { ticket } })
    expect(explanation).toMatchObject({
      accepted: false,
      code: 'ERR_SESSION_TICKET',
      steps: [{ step: 'ticket', ok: false }],
    })
  })
})

test('the session on the socket knows what using the ticket has written', async () => {
  const app = await startTicketApp()
  const cookie = await app.login()
  const connection = next<Socket>(app.io, 'connection')
  connectWith(app, await app.get('/ticket', cookie))
  const { session } = (await connection).handshake
  expect(session).toHaveProperty('__tickets')
  session.count = 1
  await new Promise((saved) => session.save(saved))
  expect(await read(app.store, idOf(cookie))).toMatchObject({ count: 1, __tickets: session['__tickets'] })
})

test('a ticket is not used up by a store that fails', async () => {
  const store = new FaultyStore()
  const app = await startTicketApp({ store })
  const ticket = await app.get('/ticket', await app.login())
  store.broken = { method: 'set', fault: 'throws' }
  expect(await next(connectWith(app, ticket), 'connect_error')).toMatchObject({ data: { code: 'ERR_SESSION_STORE' } })
  store.broken = undefined
  await next(connectWith(app, ticket), 'connect')
  expect(await next(connectWith(app, ticket), 'connect_error')).toMatchObject({ data: { code: 'ERR_SESSION_TICKET' } })
})

test('ticket(req) of a request without a session says so', async () => {
  const app = await startTicketApp()
  expect(() => app.sessions.ticket({})).toThrow(expect.objectContaining({ code: 'ERR_SESSION_NOT_FOUND' }))
})

describe('a handshake without a request (WebTransport)', () => {
  /** What Socket.IO gives over WebTransport, where `request` is null and no header came. */
  async function admitted(app: App, auth: object): Promise<unknown> {
    app.io.of('/').use((socket, pass) => {
      Object.defineProperty(socket, 'request', { value: null })
      pass()
    })
    return next(connect(app.url, undefined, { auth: auth as never }), 'connect')
  }

  test('works by ticket', async () => {
    const app = await startTicketApp({ attach: false })
    const ticket = await app.get('/ticket', await app.login())
    const connected = admitted(app, { ticket })
    app.sessions.attach(app.io)
    await connected
  })

  test('is refused cleanly without', async () => {
    const app = await startTicketApp({ attach: false })
    const refused = admitted(app, {})
    app.sessions.attach(app.io)
    await expect(refused).rejects.toMatchObject({ data: { code: 'ERR_SESSION_COOKIE_MISSING' } })
  })
})
