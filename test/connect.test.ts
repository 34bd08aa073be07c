/** The session is on the socket, for every client and transport, and costs one read. */
import { handshakeSession } from 'handshake-session'
import type { Socket } from 'socket.io'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  type App,
  ask,
  type ClientOptions,
  type Connect,
  connect,
  idOf,
  next,
  pair,
  secret,
  startApp,
} from './support/app.js'
import { clients } from './support/clients.js'
import { CountingStore } from './support/counting-store.js'

const transports: Record<string, ClientOptions> = {
  websocket: { transports: ['websocket'] },
  polling: { transports: ['polling'] },
  'polling, then upgraded': {},
}

/** Connects, emits ten events, and waits for each answer. */
async function talk(app: App, cookie: string, options: ClientOptions, io: Connect): Promise<void> {
  const client = connect(app.url, cookie, options, io)
  await next(client, 'connect')
  if (!options.transports) await upgraded(client)
  for (let i = 0; i < 10; i++) {
    expect(await new Promise((answer) => client.emit('who', answer))).toBe('ann')
  }
}

function upgraded(client: ReturnType<typeof connect>): Promise<unknown> {
  const { engine } = client.io
  return engine.transport.name === 'websocket' ? Promise.resolve() : next(engine, 'upgrade')
}

async function startCounted(options = {}): Promise<{ app: App; store: CountingStore }> {
  const store = new CountingStore()
  const app = await startApp({ store, ...options })
  return { app, store }
}

describe.each(clients)('client $version', ({ connect: io, eio3 }) => {
  test.each(Object.keys(transports))(
    '%s: the session in middleware and connection, for one store.get',
    async (name) => {
      const { app, store } = await startCounted({ io: { allowEIO3: eio3 } })
      const seen: unknown[] = []
      app.io.use((socket, pass) => {
        seen.push(socket.handshake.session.user)
        pass()
      })
      app.io.on('connection', (socket) => {
        seen.push(socket.handshake.session.user)
        socket.on('who', (answer) => answer(socket.handshake.session.user))
      })
      const cookie = await app.login()
      store.reset()
      await talk(app, cookie, transports[name] ?? {}, io)
      expect(seen).toEqual(['ann', 'ann'])
      expect(store.calls).toEqual({ get: 1, set: 0, touch: 0, destroy: 0 })
    },
  )
})

test('a client that joins three namespaces costs one store.get', async () => {
  const { app, store } = await startCounted()
  app.io.of(/^\/dynamic-\d+$/)
  app.io.of('/chat')
  const cookie = await app.login()
  store.reset()
  const client = connect(app.url, cookie, { forceNew: false, multiplex: true })
  const others = ['/chat', '/dynamic-1'].map((name) => client.io.socket(name).connect())
  await Promise.all([client, ...others].map((each) => next(each, 'connect')))
  expect(store.calls.get).toBe(1)
})

test('the session of a dynamic namespace is there in its own middlewares, also those added before attach', async () => {
  const app = await startApp()
  const seen: unknown[] = []
  app.io.of(/^\/room-/).use((socket, pass) => {
    seen.push(socket.handshake.session?.user)
    pass()
  })
  await next(connect(`${app.url}/room-1`, await app.login()), 'connect')
  expect(seen).toEqual(['ann'])
})

test('socket.request.session is the same object, and sessionID the id', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const connection = next<Socket>(app.io, 'connection')
  connect(app.url, cookie)
  const socket = await connection
  expect(socket.handshake.sessionID).toBe(idOf(cookie))
  expect(socket.request).toMatchObject({ sessionID: idOf(cookie) })
  expect((socket.request as unknown as { session: unknown }).session).toBe(socket.handshake.session)
})

test('sockets, tabs and namespaces of one browser share one session object', async () => {
  const { app, store } = await startCounted()
  const sessions = new Set<unknown>()
  app.io.on('connection', (socket) => sessions.add(socket.handshake.session))
  app.io.of('/chat').on('connection', (socket) => sessions.add(socket.handshake.session))
  const cookie = await app.login()
  store.reset()
  const urls = [app.url, app.url, `${app.url}/chat`]
  await Promise.all(urls.map((url) => next(connect(url, cookie), 'connect')))
  expect(sessions.size).toBe(1)
  expect(store.calls.get).toBe(1)
})

test('the session is a real express-session Session: save, reload and destroy work on it', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const connection = next<Socket>(app.io, 'connection')
  connect(app.url, cookie)
  const { handshake } = await connection
  handshake.session.count = 1
  await new Promise((saved) => handshake.session.save(saved))
  expect(await app.get('/session', cookie)).toMatchObject({ user: 'ann', count: 1 })
  handshake.session.count = 2
  await new Promise((reloaded) => handshake.session.reload(reloaded))
  expect(handshake.session.count).toBe(2) // a change of ours that is not saved yet is kept
  await new Promise((destroyed) => handshake.session.destroy(destroyed))
  expect(await app.get('/session', cookie)).not.toHaveProperty('user')
})

test('regenerate says why a socket cannot', async () => {
  const app = await startApp()
  const connection = next<Socket>(app.io, 'connection')
  connect(app.url, await app.login())
  const { handshake } = await connection
  const error = await new Promise((failed) => handshake.session.regenerate(failed))
  expect(error).toMatchObject({ code: 'ERR_SESSION_OPTIONS', message: expect.stringContaining('Set-Cookie') })
})

test('required: false connects a stranger with handshake.session undefined', async () => {
  const app = await startApp({ required: false })
  const connection = next<Socket>(app.io, 'connection')
  connect(app.url, 'connect.sid=nonsense')
  const { handshake } = await connection
  expect(handshake.session).toBeUndefined()
  expect(handshake.sessionID).toBeUndefined()
})

test('attach(namespace) guards that namespace alone', async () => {
  const app = await startApp({ attach: false })
  app.sessions.attach(app.io.of('/guarded'))
  await next(connect(app.url), 'connect')
  await next(connect(`${app.url}/guarded`), 'connect_error')
  await next(connect(`${app.url}/guarded`, await app.login()), 'connect')
})

test('attach(namespace): a page that the cors.origin of its server names may use the cookie', async () => {
  const origin = 'https://page.example'
  const app = await startApp({ attach: false, io: { cors: { origin, credentials: true } } })
  app.sessions.attach(app.io.of('/guarded'))
  const extraHeaders = { cookie: await app.login(), origin }
  await next(connect(`${app.url}/guarded`, undefined, { extraHeaders, transports: ['websocket'] }), 'connect')
})

test('attach(dynamic namespace) guards its children', async () => {
  const app = await startApp({ attach: false, io: { connectionStateRecovery: {} } })
  app.sessions.attach(app.io.of(/^\/room-/) as never)
  await next(connect(`${app.url}/room-1`), 'connect_error')
  await next(connect(`${app.url}/room-1`, await app.login()), 'connect')
  expect(Object.hasOwn(app.io.of('/room-1').adapter, 'restoreSession')).toBe(true)
})

test('attach(dynamic namespace) guards children that are there already', async () => {
  const app = await startApp({ attach: false })
  const rooms = app.io.of(/^\/room-/)
  await next(connect(`${app.url}/room-1`), 'connect')
  app.sessions.attach(rooms as never)
  await next(connect(`${app.url}/room-1`), 'connect_error')
})

test('middlewares of a socket that it had before the guard are kept', async () => {
  const app = await startApp({ attach: false })
  const seen: unknown[] = []
  app.io.use((socket, pass) => {
    socket.use(([event], pass) => {
      seen.push(event)
      pass()
    })
    pass()
  })
  app.sessions.attach(app.io)
  app.io.on('connection', (socket) => socket.on('work', (answer) => answer()))
  const { client } = await pair(app, await app.login())
  await ask(client, 'work')
  expect(seen).toEqual(['work'])
})

test('two instances on one server: the second, which requires no session and finds none, leaves that of the first', async () => {
  const app = await startApp()
  const options = { store: new CountingStore(), secret, name: 'other.sid', required: false }
  const second = handshakeSession(options).attach(app.io)
  onTestFinished(() => second.close())
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  expect(socket.handshake).toMatchObject({ sessionID: idOf(cookie), session: { user: 'ann' } })
  expect(socket.request).toMatchObject({ sessionID: idOf(cookie), session: { user: 'ann' } })
})

test('a cookie in quotes lets in, as in express-session', async () => {
  const app = await startApp()
  const [name, value] = (await app.login()).split('=')
  const quoted = `${name}="${value}"`
  expect(await app.get('/session', quoted)).toMatchObject({ user: 'ann' })
  const { socket } = await pair(app, quoted)
  expect(socket.handshake.session.user).toBe('ann')
})

test('room(id) reaches every socket of the session, in each namespace, and does not contain the id', async () => {
  const app = await startApp()
  const [ann, bob] = [await app.login('ann'), await app.login('bob')]
  const [tab1, tab2, other] = [connect(app.url, ann), connect(app.url, ann), connect(app.url, bob)]
  await Promise.all([tab1, tab2, other].map((each) => next(each, 'connect')))
  const heard = Promise.all([next(tab1, 'news'), next(tab2, 'news')])
  other.on('news', () => expect.unreachable('the news is for another session'))
  app.io.to(app.sessions.room(idOf(ann))).emit('news', 1)
  await heard
  expect(app.sessions.room(idOf(ann))).not.toContain(idOf(ann))
})

test('secret: [new, old]: both verify', async () => {
  const store = new CountingStore()
  const old = await startApp({ store, secret: 'old' })
  const cookie = await old.login()
  old.sessions.close()
  const app = await startApp({ store, secret: ['new', 'old'] })
  await next(connect(app.url, cookie), 'connect')
  await next(connect(app.url, await app.login()), 'connect')
})

test.each(['name', 'key'])('%s: the name of the cookie', async (option) => {
  const app = await startApp({ [option]: 'sid' })
  const cookie = await app.login()
  expect(cookie).toMatch(/^sid=/)
  await next(connect(app.url, cookie), 'connect')
})

test('load: headers to session, without any Socket.IO', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const session = await app.sessions.load({ headers: { cookie } })
  expect(session.user).toBe('ann')
  session.items = ['pen']
  await new Promise((saved) => session.save(saved))
  expect(await app.get('/session', cookie)).toMatchObject({ items: ['pen'] })
  await expect(app.sessions.load({ headers: {} })).rejects.toMatchObject({ code: 'ERR_SESSION_COOKIE_MISSING' })
})

test('after close() nobody is let in, the store is as before, and the process may end', async () => {
  const app = await startApp()
  const cookie = await app.login()
  app.sessions.close()
  app.sessions.close()
  expect(Object.keys(app.store)).not.toContain('set')
  const error = await next(connect(app.url, cookie), 'connect_error')
  expect(error).toMatchObject({ data: { code: 'ERR_SESSION_ENDED' } })
  for (const call of [app.sessions.load, app.sessions.explain]) {
    const answer = call.bind(app.sessions)({ headers: { cookie } })
    await expect(answer).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' })
  }
  const id = idOf(cookie)
  for (const answer of [app.sessions.update(id, () => {}), app.sessions.revoke(id)]) {
    await expect(answer).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' })
  }
  const attach = () => app.sessions.attach(app.io.of('/'))
  expect(attach).toThrow(expect.objectContaining({ code: 'ERR_SESSION_ENDED' }))
})

test('close() of one of two instances on a store, twice, takes nothing from the other', async () => {
  const app = await startApp()
  const closed = handshakeSession({ store: app.store, secret })
  const told = vi.fn()
  closed.on('end', told)
  const cookie = await app.login()
  const { client, socket } = await pair(app, cookie)
  closed.close()
  closed.close()
  await app.get('/set/theme/dark', cookie)
  expect(socket.handshake.session['theme']).toBe('dark')
  const ended = next(client, 'disconnect')
  await app.get('/logout', cookie)
  await ended
  expect(told).not.toHaveBeenCalled()
})

test('after close() nobody gets into a namespace that comes later', async () => {
  const app = await startApp()
  app.io.of(/^\/room-\d+$/)
  app.sessions.close()
  app.io.of('/later')
  for (const path of ['/later', '/room-1']) {
    const error = await next(connect(`${app.url}${path}`), 'connect_error')
    expect(error).toMatchObject({ data: { code: 'ERR_SESSION_ENDED' } })
  }
})
