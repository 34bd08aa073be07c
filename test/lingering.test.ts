/**
 * A session stays for a while when its last socket has left, so that its client finds it when it is back: for how long, how
 * many, what is heard of it meanwhile, and that it costs nothing else. What a socket sees of it is in `fresh.test.ts`.
 */
import { setImmediate as turn } from 'node:timers/promises'
import session from 'express-session'
import { SessionRegistry } from 'handshake-session/internals'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type App, type AppOptions, hear, idOf, next, pair, startApp } from './support/app.js'
import { CountingStore } from './support/counting-store.js'
import { connectFakes } from './support/fake-connections.js'
import { later } from './support/later.js'
import { otherProgram, write } from './support/other-program.js'
import { VersionedStore } from './support/versioned-store.js'

/** An app whose user has just left. */
async function startLeft({ store = new VersionedStore(), ...options }: AppOptions & { store?: CountingStore } = {}) {
  const app = await startApp({ store, freshFor: 5_000, recheck: 1_000_000, ...options })
  const registry = joined(app.store)
  const cookie = await app.login()
  const { client, socket } = await pair(app, cookie)
  await leave(client, socket)
  store.reset()
  return { app, store: store as VersionedStore, registry, cookie, id: idOf(cookie) }
}

function joined(store: session.Store): SessionRegistry {
  const registry = SessionRegistry.join(store, { freshFor: 5_000, recheck: 1_000_000 })
  onTestFinished(() => registry.leave())
  return registry
}

async function leave(client: { disconnect(): void }, socket: { conn: unknown }): Promise<void> {
  const left = next(socket.conn as never, 'close')
  client.disconnect()
  await left
  await turn()
}

/** A registry by itself, in which sessions are opened, and held until they are released. */
function startRegistry(count: number) {
  const store = new CountingStore()
  for (let n = 0; n < count; n++) store.set(`${n}`, { cookie: new session.Cookie(), count: n } as session.SessionData)
  const registry = joined(store)
  store.reset()
  const holder = { close() {} }
  const visit = async (n: number) => (await registry.open(`${n}`)).hold(holder).release(holder)
  return { store, registry, holder, visit }
}

test('1,000 sessions whose connections are lost at once, and come back, are not read again', async () => {
  const store = new CountingStore()
  const app = await startApp({ store, freshFor: 1_000_000 })
  const ids = Array.from({ length: 1_000 }, (_, n) => `session-${n}`)
  for (const id of ids) store.set(id, { cookie: new session.Cookie(), user: id } as session.SessionData)
  for (const conn of await connectFakes(app, ids, 1)) conn.close()
  await turn()
  store.reset()
  await connectFakes(app, ids, 2)
  expect(store.calls).toEqual({ get: 0, set: 0, touch: 0, destroy: 0 })
  expect([...app.io.sockets.sockets.values()].map(({ handshake }) => handshake.session?.user)).toEqual(
    ids.flatMap((id) => [id, id]),
  )
})

describe('it stays', () => {
  test('until freshFor is over', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { registry, visit } = startRegistry(1)
    await visit(0)
    await turn()
    await vi.advanceTimersByTimeAsync(4_900)
    expect(registry.sessions.size).toBe(1)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(registry.sessions.size).toBe(0)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('until freshFor is over since the last one left', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { registry, visit } = startRegistry(1)
    await visit(0)
    await vi.advanceTimersByTimeAsync(4_000)
    await visit(0)
    await turn()
    await vi.advanceTimersByTimeAsync(4_000)
    expect(registry.sessions.size).toBe(1)
  })

  test('and keeps no process alive', async () => {
    const begun = vi.spyOn(globalThis, 'setInterval')
    onTestFinished(() => begun.mockRestore())
    const { registry, visit } = startRegistry(1)
    await visit(0)
    await turn()
    expect(registry.sessions.size).toBe(1)
    expect(begun.mock.results.map(({ value }) => value.hasRef())).toEqual([false])
  })

  test('not at all when it was only loaded', async () => {
    const { app, registry, cookie, id } = await startLeft()
    await app.sessions.revoke(id)
    const other = await app.login('bob')
    await app.sessions.load({ headers: { cookie: other } })
    await app.sessions.update(idOf(other), (s) => {
      s.count = 1
    })
    expect(idOf(cookie)).toBe(id)
    await turn()
    expect(registry.sessions.size).toBe(0)
  })
})

describe('of more than 10,000', () => {
  test('those stay that have left last', async () => {
    const { store, registry, visit } = startRegistry(10_003)
    for (let n = 0; n < 9_999; n++) await visit(n)
    await turn()
    await visit(0) // It is back, and leaves as the last one.
    await turn()
    for (let n = 9_999; n < 10_003; n++) await visit(n)
    await turn()
    expect(registry.sessions.size).toBeLessThanOrEqual(10_000)
    store.reset()
    for (const n of [0, 5_004, 9_999, 10_002]) await visit(n)
    expect(store.calls.get).toBe(0)
    for (const n of [1, 2, 3]) await visit(n)
    expect(store.calls.get).toBe(3)
  })

  test('one that is held stays all the same, and when it leaves', async () => {
    const { store, registry, holder, visit } = startRegistry(10_003)
    await visit(0)
    await turn()
    const live = (await registry.open('0')).hold(holder)
    for (let n = 1; n < 10_002; n++) await visit(n)
    await turn()
    expect(registry.sessions.size).toBeLessThanOrEqual(10_001)
    live.release(holder)
    await turn()
    store.reset()
    await visit(0)
    expect(store.calls.get).toBe(0)
  })

  test('those that end while they are held do not count', async () => {
    const { store, registry, visit } = startRegistry(10_001)
    await visit(0)
    for (let n = 1; n <= 10_000; n++) {
      const live = await registry.open(`${n}`)
      const holder = { close: () => live.release(holder) }
      live.hold(holder)
      await registry.endings.destroy(`${n}`)
    }
    store.reset()
    await visit(0)
    expect(store.calls.get).toBe(0)
  })

  test('those that have ended do not count', async () => {
    const { registry, visit } = startRegistry(10_099)
    for (let n = 0; n < 9_999; n++) await visit(n)
    await turn()
    for (let n = 5_000; n < 5_100; n++) await registry.endings.destroy(`${n}`)
    for (let n = 9_999; n < 10_099; n++) await visit(n)
    await turn()
    expect(registry.sessions.size).toBe(9_999)
  })
})

describe('meanwhile', () => {
  test('what another node tells counts: the next one reads', async () => {
    const { app, store, cookie, id } = await startLeft()
    await write(otherProgram(store), id, 'theme', 'dark')
    hear(app, { changed: [app.sessions.room(id)] })
    await turn()
    expect(store.trips.reads).toBe(0)
    const { socket } = await pair(app, cookie)
    expect(store.trips.reads).toBe(1)
    expect(socket.handshake.session).toMatchObject({ theme: 'dark' })
  })

  test.each([
    ['a logout', (app: App, cookie: string) => app.get('/logout', cookie)],
    ['revoke', (app: App, cookie: string) => app.sessions.revoke(idOf(cookie))],
    [
      'another node',
      async (app: App, cookie: string) => hear(app, { ended: [[app.sessions.room(idOf(cookie)), 'destroyed']] }),
    ],
  ])('an end by %s ends it, and nobody is told', async (_who, end) => {
    const { app, registry, cookie } = await startLeft()
    const told = vi.fn()
    app.sessions.on('end', told)
    await end(app, cookie)
    await turn()
    expect(registry.sessions.size).toBe(0)
    await expect(app.sessions.load({ headers: { cookie } })).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
    expect(told).not.toHaveBeenCalled()
  })

  test('an update needs no read', async () => {
    const { app, store, id } = await startLeft()
    await app.sessions.update(id, (s) => {
      s.count = 1
    })
    expect(store.trips).toEqual({ reads: 0, writes: 1, refused: 0 })
  })

  test('one whose time is over is read', async () => {
    const { app, store, cookie } = await startLeft({ freshFor: 1_000_000, session: { cookie: { maxAge: 2_000 } } })
    later(2_001)
    await expect(app.sessions.load({ headers: { cookie } })).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
    expect(store.trips.reads + store.calls.get).toBeGreaterThan(0)
  })

  test('close() lets it go', async () => {
    const { app, registry } = await startLeft()
    expect(registry.sessions.size).toBe(1)
    registry.leave()
    app.sessions.close()
    expect(registry.sessions.size).toBe(0)
    SessionRegistry.join(app.store) // For the one that is left when this test has finished.
  })
})
