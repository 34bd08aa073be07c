/** Whatever handlers put into a session, and whatever a store does, the process lives, and nobody is let in by it. */
import session, { type SessionData } from 'express-session'
import { handshakeSession } from 'handshake-session'
import { expect, test } from 'vitest'
import { ask, connect, idOf, next, pair, startApp } from './support/app.js'
import { CountingStore } from './support/counting-store.js'

const circle: { self?: unknown } = {}
circle.self = circle

test.each([
  ['a BigInt', 1n],
  ['a circle', circle],
  ['something whose toJSON throws', { toJSON: () => JSON.parse('{') }],
])('%s in the session of a socket fails its own saves, and nothing else', async (_name, value) => {
  const app = await startApp({ freshFor: 0, session: { cookie: { maxAge: 60_000 } } })
  app.io.on('connection', (socket) => socket.on('work', (answer) => answer('done')))
  const cookie = await app.login()
  const { client, socket } = await pair(app, cookie)
  socket.handshake.session['odd'] = value
  expect(await app.get('/set/theme/dark', cookie)).toMatchObject({ theme: 'dark' })
  expect(await app.get('/session', cookie)).toMatchObject({ theme: 'dark' })
  expect(await new Promise((saved) => socket.handshake.session.save(saved))).toMatchObject({
    code: 'ERR_SESSION_STORE',
    message: expect.stringContaining('cannot be written as JSON'),
  })
  expect(await ask(client, 'work')).toBe('done')
  expect(socket.handshake.session).toMatchObject({ theme: 'dark', odd: value })
  await app.sessions.update(idOf(cookie), (s) => {
    s.count = 1
  })
  expect(await app.get('/session', cookie)).toEqual({ cookie: expect.anything(), user: 'ann', theme: 'dark', count: 1 })
  await app.get('/set/odd/plain', cookie)
  expect(await ask(client, 'work')).toBe('done')
  expect(socket.handshake.session['odd']).toBe('plain')
  socket.handshake.session['odd'] = value
  await app.sessions.update(idOf(cookie), (s) => {
    s.count = 2
  })
  expect(await app.get('/session', cookie)).toMatchObject({ odd: 'plain', count: 2 })
})

test('a record of which the store can make no `Session` fails no request that writes it', async () => {
  class PickyStore extends CountingStore {
    override createSession(
      ...[request, record]: Parameters<session.Store['createSession']>
    ): ReturnType<session.Store['createSession']> {
      if ((record as { theme?: unknown }).theme === 'dark') throw new Error('not this one')
      return super.createSession(request, record)
    }
  }
  const told: string[] = []
  const onError = ({ code }: { code: string }, { stage }: { stage: string }) => void told.push(`${stage} ${code}`)
  const app = await startApp({ store: new PickyStore(), onError })
  const cookie = await app.login()
  await pair(app, cookie)
  expect(await app.get('/set/theme/dark', cookie)).toMatchObject({ theme: 'dark' })
  expect(told).toEqual(['refresh ERR_SESSION_STORE'])
})

test.each([
  { cookie: null },
  { cookie: 7 },
  { cookie: {} },
  { save: 1, id: 2 },
  JSON.parse('{"__proto__": {"user": "eve"}}'),
])('a payload %j that a handler merges into the session ends nothing', async (payload) => {
  const app = await startApp({ freshFor: 0 })
  app.io.on('connection', (socket) => {
    socket.on('profile', (profile, answer) => {
      try {
        Object.assign(socket.handshake.session, profile)
      } catch {
        // `id` cannot be assigned
      }
      answer()
    })
    socket.on('user', (answer) => answer(socket.handshake.sessionID))
  })
  const cookie = await app.login()
  const { client } = await pair(app, cookie)
  await ask(client, 'profile', payload)
  expect(await ask(client, 'user')).toBe(idOf(cookie))
  expect(await app.get('/session', cookie)).toMatchObject({ user: 'ann' })
})

test('a store that rejects without an error has failed all the same', async () => {
  const store = new CountingStore()
  const app = await startApp({ store })
  const cookie = await app.login()
  Object.assign(store, { get: () => Promise.reject() })
  app.sessions.close()
  const other = await startApp({ store })
  expect(await next(connect(other.url, cookie), 'connect_error')).toMatchObject({ data: { code: 'ERR_SESSION_STORE' } })
})

test('required: false: a record that cannot be read refuses, it does not make anonymous', async () => {
  const store = new CountingStore()
  const app = await startApp({ store, required: false })
  const cookie = await app.login()
  app.sessions.close()
  const record = { cookie: new session.Cookie(), odd: 1n } as unknown as SessionData
  Object.assign(store, { get: (_id: string, done: (error: null, record: SessionData) => void) => done(null, record) })
  const other = await startApp({ store, required: false })
  expect(await next(connect(other.url, cookie), 'connect_error')).toMatchObject({ data: { code: 'ERR_SESSION_STORE' } })
})

test('an observed store keeps its promises: without a callback a failure still rejects', async () => {
  class PromisingStore extends CountingStore {
    override set(_id: string, _session: SessionData, callback?: (error?: unknown) => void): Promise<void> {
      const error = new Error('down')
      if (!callback) return Promise.reject(error)
      callback(error)
      return Promise.resolve()
    }
  }
  const app = await startApp({ store: new PromisingStore() })
  await expect(Promise.resolve(app.store.set('x', { cookie: new session.Cookie() } as SessionData))).rejects.toThrow(
    'down',
  )
})

test('a script of another site (JSONP), which sends no Origin, is refused', async () => {
  const app = await startApp()
  const explanation = await app.sessions.explain({
    headers: { cookie: await app.login() },
    url: '/socket.io/?EIO=4&transport=polling&j=0',
  })
  expect(explanation).toMatchObject({ accepted: false, code: 'ERR_SESSION_ORIGIN' })
})

test.each([
  ['https://a.example', 'a.example:443', true],
  ['http://A.example:8080', 'a.example:8080', true],
  ['https://a.example', 'a.example:80', false],
  ['chrome-extension://a.example', 'a.example', false],
  ['file://', '', false],
  ['https://a.example.evil', 'a.example', false],
])('a page of %s is the own one of host %s: %s', async (origin, host, isOwn) => {
  const app = await startApp()
  const explanation = await app.sessions.explain({ headers: { cookie: await app.login(), origin, host } })
  expect(explanation.accepted).toBe(isOwn)
})

test('close() while a client connects refuses it', async () => {
  let answer = () => {}
  class HeldStore extends CountingStore {
    isHeld = false

    override get(...args: Parameters<CountingStore['get']>): void {
      if (!this.isHeld) super.get(...args)
      else answer = () => super.get(...args)
    }
  }
  const store = new HeldStore()
  const app = await startApp({ store })
  const cookie = await app.login()
  store.isHeld = true
  store.reset()
  const refused = next(connect(app.url, cookie), 'connect_error')
  await expect.poll(() => answer.toString()).toContain('super.get')
  app.sessions.close()
  answer()
  expect(await refused).toMatchObject({ data: { code: 'ERR_SESSION_ENDED' } })
})

test('another instance on the same store wants its own cookie, also of a connection that the first has let in', async () => {
  const app = await startApp()
  const admins = handshakeSession({ store: app.store, secret: 'of admins', name: 'admin.sid' })
  admins.attach(app.io.of('/admin'))
  const client = connect(app.url, await app.login())
  await next(client, 'connect')
  const admin = client.io.socket('/admin').connect()
  expect(await next(admin, 'connect_error')).toMatchObject({ data: { code: 'ERR_SESSION_COOKIE_MISSING' } })
  const { socket } = await pair(app, await app.login('bob'))
  expect(await app.sessions.update(socket, (session) => session.user)).toBe('bob')
  const byAdmins = admins.update(socket, () => expect.unreachable('it is not theirs'))
  await expect(byAdmins).rejects.toMatchObject({
    code: 'ERR_SESSION_NOT_FOUND',
    message: expect.stringContaining('by this instance'),
  })
  admins.close()
})

test('a connection has one session: a ticket of another, shown at the same time, is refused', async () => {
  const app = await startApp()
  const [ann, bob] = [await app.login('ann'), await app.login('bob')]
  app.io.of('/chat')
  const ticket = app.sessions.ticket({ session: {}, sessionID: idOf(ann) })
  const client = connect(app.url, bob, { auth: { ticket }, transports: ['websocket'] })
  const chat = client.io.socket('/chat', { auth: {} }).connect()
  const fates = await Promise.allSettled([next(client, 'connect'), next(chat, 'connect')])
  expect(fates).toMatchObject([{ reason: { data: { code: 'ERR_SESSION_CONFLICT' } } }, { status: 'fulfilled' }])
})
