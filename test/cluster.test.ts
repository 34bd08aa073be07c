/** What nodes tell each other: little, nothing secret, and nothing that a forged message could do harm with. */
import { EventEmitter } from 'node:events'
import { handshakeSession } from 'handshake-session'
import { Adapter } from 'socket.io-adapter'
import { expect, onTestFinished, test, vi } from 'vitest'
import { hear, idOf, next, pair, secret, startApp } from './support/app.js'
import { CountingStore } from './support/counting-store.js'

interface News {
  changed?: string[]
  ended?: [string, string][]
}

/** An adapter that reaches nobody, and keeps what was to be told. */
function listeningAdapter(): { adapter: typeof Adapter; told: News[] } {
  const told: News[] = []
  class Listening extends Adapter {
    override serverSideEmit([, news]: unknown[]): void {
      told.push(news as News)
    }
  }
  return { adapter: Listening, told }
}

test('a burst of changes of one session is told once, and names no id', async () => {
  const { adapter, told } = listeningAdapter()
  const app = await startApp({ io: { adapter: adapter as never } })
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  told.length = 0
  const { session } = socket.handshake
  const save = (value: number) => {
    session.count = value
    return new Promise((done) => session.save(done))
  }
  await Promise.all(Array.from({ length: 50 }, (_, i) => save(i)))
  await app.get('/logout', cookie)
  await vi.waitFor(() => expect(told.at(-1)).toEqual({ ended: [[app.sessions.room(idOf(cookie)), 'destroyed']] }))
  const changes = told.flatMap(({ changed }) => changed ?? [])
  expect(new Set(changes)).toEqual(new Set([app.sessions.room(idOf(cookie))]))
  expect(told.length).toBeLessThan(10)
  expect(JSON.stringify(told)).not.toContain(idOf(cookie))
})

test('what is written many times in a turn is told once', async () => {
  const { adapter, told } = listeningAdapter()
  const app = await startApp({ io: { adapter: adapter as never } })
  const room = app.sessions.room(idOf(await app.login()))
  await vi.waitFor(() => expect(told).toHaveLength(1))
  const record = { cookie: { originalMaxAge: null } } as never
  const writes = Array.from({ length: 50 }, () => new Promise((done) => app.store.set('another', record, done)))
  await Promise.all(writes)
  await vi.waitFor(() => expect(told.slice(1)).toEqual([{ changed: [app.sessions.room('another')] }]))
  expect(told[0]).toEqual({ changed: [room] })
})

test('changes are told again after a burst', async () => {
  const { adapter, told } = listeningAdapter()
  const app = await startApp({ io: { adapter: adapter as never } })
  const [ann, bob] = [await app.login('ann'), await app.login('bob')]
  for (const cookie of [ann, bob]) {
    told.length = 0
    await app.get('/set/theme/dark', cookie)
    const changed = () => told.flatMap(({ changed }) => changed ?? [])
    await vi.waitFor(() => expect(changed()).toContain(app.sessions.room(idOf(cookie))))
  }
})

test('an emitter tells only where no server reaches the others', async () => {
  const emitter = { serverSideEmit: vi.fn() }
  const { adapter, told } = listeningAdapter()
  const app = await startApp({ emitter, attach: false, io: { adapter: adapter as never } })
  const id = idOf(await app.login())
  const news = (reason: string) => ({ ended: [[app.sessions.room(id), reason]] })
  await app.sessions.revoke(id)
  expect(emitter.serverSideEmit).toHaveBeenLastCalledWith('handshake-session', news('revoked'))
  expect(told).toEqual([])
  emitter.serverSideEmit.mockClear()
  app.sessions.attach(app.io)
  await app.sessions.revoke(id, 'expired')
  expect(told).toEqual([news('expired')])
  expect(emitter.serverSideEmit).not.toHaveBeenCalled()
})

test.each([{}, { connectionStateRecovery: {} }])(
  'the adapter in memory, which would only warn, is told nothing: %j',
  async (io) => {
    const warn = vi.spyOn(console, 'warn')
    onTestFinished(() => warn.mockRestore())
    const app = await startApp({ io })
    await app.sessions.revoke(idOf(await app.login()))
    expect(warn).not.toHaveBeenCalled()
  },
)

test('a server is listened to once, however much of it is attached to, and not after close()', async () => {
  const app = await startApp()
  const listeners = () => EventEmitter.prototype.listenerCount.call(app.io.sockets, 'handshake-session')
  app.sessions.attach(app.io.of('/admin')).attach(app.io.of('/'))
  expect(listeners()).toBe(1)
  app.sessions.close()
  expect(listeners()).toBe(0)
})

test('close() tells at once what changed in that turn', async () => {
  const emitter = { serverSideEmit: vi.fn() }
  const app = await startApp({ emitter, attach: false })
  const id = idOf(await app.login())
  await vi.waitFor(() => expect(emitter.serverSideEmit).toHaveBeenCalledTimes(1))
  await new Promise((written) => {
    app.store.set(id, { cookie: { originalMaxAge: null } } as never, written)
  })
  app.sessions.close()
  expect(emitter.serverSideEmit).toHaveBeenCalledTimes(2)
  expect(emitter.serverSideEmit).toHaveBeenLastCalledWith('handshake-session', { changed: [app.sessions.room(id)] })
  await new Promise(setImmediate)
  expect(emitter.serverSideEmit).toHaveBeenCalledTimes(2)
})

test('after close() nothing is told, also when another instance goes on with the store', async () => {
  const emitter = { serverSideEmit: vi.fn() }
  const app = await startApp({ emitter, attach: false })
  const other = handshakeSession({ store: app.store, secret })
  onTestFinished(() => other.close())
  const cookie = await app.login()
  await vi.waitFor(() => expect(emitter.serverSideEmit).toHaveBeenCalledTimes(1))
  app.sessions.close()
  await app.get('/set/theme/dark', cookie)
  await app.get('/logout', cookie)
  await new Promise(setImmediate)
  expect(emitter.serverSideEmit).toHaveBeenCalledTimes(1)
})

test('an ending is told when the store has done it, and not at all when it could not', async () => {
  class StubbornStore extends CountingStore {
    override destroy(_id: string, callback: (error?: unknown) => void): void {
      setImmediate(callback, new Error('down'))
    }
  }
  const { adapter, told } = listeningAdapter()
  const app = await startApp({ store: new StubbornStore(), io: { adapter: adapter as never } })
  const cookie = await app.login()
  await expect(app.sessions.revoke(idOf(cookie))).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
  expect(told.filter(({ ended }) => ended)).toEqual([])
})

test('a regenerate is told when its response is out', async () => {
  const { adapter, told } = listeningAdapter()
  const app = await startApp({ io: { adapter: adapter as never } })
  const endings = () => told.filter(({ ended }) => ended)
  let early: unknown[] | undefined
  app.express.get('/again', (req, res) => {
    req.session.regenerate(() =>
      setImmediate(() => {
        early = endings()
        res.json({})
      }),
    )
  })
  await app.get('/again', await app.login())
  expect(early).toEqual([])
  await vi.waitFor(() => expect(endings()).toHaveLength(1))
})

test('the logout of a session that the store has no longer is told as well', async () => {
  class FileLikeStore extends CountingStore {
    override destroy(_id: string, callback: (error?: unknown) => void): void {
      setImmediate(callback, Object.assign(new Error('no such file'), { code: 'ENOENT' }))
    }
  }
  const { adapter, told } = listeningAdapter()
  const app = await startApp({ store: new FileLikeStore(), io: { adapter: adapter as never } })
  const cookie = await app.login()
  await app.get('/logout', cookie)
  expect(told.filter(({ ended }) => ended)).toEqual([{ ended: [[app.sessions.room(idOf(cookie)), 'destroyed']] }])
})

test('what is heard is not told again', async () => {
  const { adapter, told } = listeningAdapter()
  const app = await startApp({ io: { adapter: adapter as never } })
  const cookie = await app.login()
  const { client } = await pair(app, cookie)
  told.length = 0
  const closed = next(client, 'disconnect')
  hear(app, { changed: [app.sessions.room(idOf(cookie))] })
  hear(app, { ended: [[app.sessions.room(idOf(cookie)), 'revoked']] })
  await closed
  expect(told).toEqual([])
})

test.each([
  undefined,
  null,
  7,
  'ended',
  [],
  { changed: 'session:x' },
  { changed: [null, 7, {}, 'session:short', '__proto__'] },
  { ended: [null, [], ['session:x'], [{}, 'destroyed'], 7] },
  { ended: { length: 1 } },
])('malformed news changes nothing: %j', async (news) => {
  const app = await startApp()
  const { client, socket } = await pair(app, await app.login())
  hear(app, news)
  hear(app, { ended: [[app.sessions.room('of nobody here'), 'destroyed']] })
  socket.emit('still there')
  await next(client, 'still there')
})

test('an ending with a reason that there is not is dropped', async () => {
  const app = await startApp()
  const cookie = await app.login()
  const { client, socket } = await pair(app, cookie)
  hear(app, { ended: [[app.sessions.room(idOf(cookie)), 'because']] })
  socket.emit('still there')
  await next(client, 'still there')
})
