/** Failures that nobody awaits: `onError` gets each of them, once, with the stage in which it came up. */
import { EventEmitter } from 'node:events'
import { type HandshakeSessionOptions, handshakeSession, type SessionError } from 'handshake-session'
import { expect, test, vi } from 'vitest'
import { type App, connect, idOf, next, pair, secret, startApp } from './support/app.js'
import { FaultyStore } from './support/faulty-store.js'
import { otherProgram, read } from './support/other-program.js'

async function start(options: Partial<HandshakeSessionOptions> = {}) {
  const told = new EventEmitter<{ error: [string] }>()
  const errors: string[] = []
  const onError = (error: SessionError, { stage }: { stage: string }) => {
    errors.push(`${stage} ${error.code}`)
    told.emit('error', '')
  }
  told.on('error', () => {})
  const store = new FaultyStore()
  const app = await startApp({ store, onError, ...options })
  const cookie = await app.login()
  const breakDown = (method: 'get' | 'set' | 'destroy') => {
    store.broken = { method, fault: 'throws' }
  }
  return { app, cookie, id: idOf(cookie), breakDown, errors, told: () => next(told as never, 'error') }
}

test('handshake: a client that is refused', async () => {
  const { app, errors } = await start()
  await next(connect(app.url), 'connect_error')
  expect(errors).toEqual(['handshake ERR_SESSION_COOKIE_MISSING'])
})

test('handshake: a client without a session, let in with required: false', async () => {
  const { app, errors } = await start({ required: false })
  await next(connect(app.url), 'connect')
  expect(errors).toEqual(['handshake ERR_SESSION_COOKIE_MISSING'])
})

test('refresh: an idle session that cannot be read again', async () => {
  const { app, cookie, breakDown, errors, told } = await start({ recheck: 20 })
  await pair(app, cookie)
  breakDown('get')
  await told()
  expect(errors).toEqual(['refresh ERR_SESSION_STORE'])
})

test('save: a session saved without a callback', async () => {
  const { app, cookie, breakDown, errors, told } = await start()
  const { socket } = await pair(app, cookie)
  socket.handshake.session.count = 1
  breakDown('set')
  socket.handshake.session.save()
  await told()
  expect(errors).toEqual(['save ERR_SESSION_STORE'])
})

test('save: a session destroyed without a callback, while the store is down', async () => {
  const { app, cookie, breakDown, errors, told } = await start()
  const { socket } = await pair(app, cookie)
  breakDown('destroy')
  socket.handshake.session.destroy(undefined as never)
  await told()
  expect(errors).toEqual(['save ERR_SESSION_STORE'])
})

test.each([true, false])(
  'save: what a request saves after its session has ended (mergeHttpSaves: %s)',
  async (mergeHttpSaves) => {
    const { app, cookie, id, errors } = await start({ mergeHttpSaves })
    app.express.get('/slow', async (req, res) => {
      await app.sessions.revoke(id)
      req.session.count = 1
      res.end('done')
    })
    await (await fetch(`${app.url}/slow`, { headers: { cookie } })).text()
    expect(errors).toEqual(['save ERR_SESSION_NOT_FOUND'])
  },
)

test('save: what a request saves of a session that another program has deleted, with mergeHttpSaves', async () => {
  const { app, cookie, id, errors } = await start({ mergeHttpSaves: true })
  app.express.get('/slow', (req, res) => {
    otherProgram(app.store).destroy(id, () => {
      req.session.count = 1
      res.end('done')
    })
  })
  await (await fetch(`${app.url}/slow`, { headers: { cookie } })).text()
  expect(errors).toEqual(['save ERR_SESSION_NOT_FOUND'])
})

test.each([
  ['throws', () => JSON.parse('{')],
  ['rejects', async () => JSON.parse('{')],
])('end: a listener that %s', async (_what, listener) => {
  const { app, cookie, id, errors } = await start()
  await pair(app, cookie)
  app.sessions.on('end', listener)
  await app.sessions.revoke(id)
  expect(errors).toEqual(['end ERR_SESSION_STORE'])
})

test('save: by a route that gives the store no callback, with mergeHttpSaves', async () => {
  const { app, cookie, id, breakDown } = await start({ mergeHttpSaves: true })
  app.express.get('/script', (req, res) => {
    breakDown('get')
    req.session.count = 1
    app.store.set(id, req.session as never)
    res.end('begun')
  })
  await fetch(`${app.url}/script`, { headers: { cookie } })
})

test.each([
  ['a logout by HTTP', (app: App, cookie: string) => app.get('/logout', cookie)],
  ['revoke', (app: App, cookie: string) => app.sessions.revoke(idOf(cookie))],
])('end: a listener of `disconnect` that throws stops nothing of %s', async (_how, end) => {
  const { app, cookie, id, errors } = await start()
  const first = await pair(app, cookie)
  const second = await pair(app, cookie)
  first.socket.on('disconnect', () => JSON.parse('{'))
  const closed = [first, second].map(({ client }) => next(client, 'disconnect'))
  await end(app, cookie)
  await Promise.all(closed)
  expect(errors).toEqual(['end ERR_SESSION_STORE'])
  expect(await read(otherProgram(app.store), id)).toBeUndefined()
})

test('an `onError` that itself throws, or rejects, harms nobody', async () => {
  for (const onError of [() => JSON.parse('{'), async () => JSON.parse('{')]) {
    const app = await startApp({ onError })
    const error = await next(connect(app.url, 'connect.sid=s%3Aid.x'), 'connect_error')
    expect(error).toMatchObject({ data: { code: 'ERR_SESSION_SIGNATURE' } })
  }
})

test('of another instance on the same store, who was closed is told nothing', async () => {
  const { app, cookie, breakDown, errors, told } = await start()
  const onError = vi.fn()
  handshakeSession({ store: app.store, secret, onError }).close()
  const { socket } = await pair(app, cookie)
  socket.handshake.session.count = 1
  breakDown('set')
  socket.handshake.session.save()
  await told()
  expect(errors).toEqual(['save ERR_SESSION_STORE'])
  expect(onError).not.toHaveBeenCalled()
})

test('cluster: the other nodes that cannot be told', async () => {
  const emitter = { serverSideEmit: vi.fn(() => JSON.parse('{')) }
  const { app, id, errors, told } = await start({ emitter, attach: false } as Partial<HandshakeSessionOptions>)
  await told().then(() => errors.splice(0)) // of the login
  await app.sessions.revoke(id)
  expect(errors).toEqual(['cluster ERR_SESSION_STORE'])
})

test('nobody else is told: what is awaited, or called back, goes to the caller alone', async () => {
  const { app, cookie, id, breakDown, errors } = await start()
  const { socket } = await pair(app, cookie)
  breakDown('get')
  await expect(app.sessions.update(id, () => {})).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
  socket.handshake.session.count = 1
  const saved = new Promise((done) => socket.handshake.session.save(done))
  expect(await saved).toMatchObject({ code: 'ERR_SESSION_STORE' })
  expect(errors).toEqual([])
})
