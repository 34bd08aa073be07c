/** What nodes tell each other: little, nothing secret, and nothing that a forged message could do harm with. */
import { Adapter } from 'socket.io-adapter'
import { expect, test, vi } from 'vitest'
import { hear, idOf, next, pair, startApp } from './support/app.js'
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
