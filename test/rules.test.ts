/**
 * The four rules of `src/session`, each by what an app sees of it: what an answer of the store is worth, what an ending
 * undoes, in which order events come, and which clock counts. `test/model` looks for what nobody has thought of.
 */
import { EventEmitter, once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import session from 'express-session'
import type { SessionError } from 'handshake-session'
import { Adapter } from 'socket.io-adapter'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type App, ask, hear, idOf, next, pair, startApp } from './support/app.js'
import { CountingStore } from './support/counting-store.js'
import { FaultyStore } from './support/faulty-store.js'
import { later } from './support/later.js'
import { otherProgram, read, write } from './support/other-program.js'
import { VersionedStore } from './support/versioned-store.js'

/** Holds back what a method does, and separately what it answers, until it is let. */
class HeldStore extends CountingStore {
  readonly held = { get: undefined, set: undefined, destroy: undefined } as Record<string, (() => void)[] | undefined>
  readonly answers = { get: undefined, set: undefined } as Record<string, (() => void)[] | undefined>

  override get(id: string, done: (error: unknown, record?: session.SessionData | null) => void): void {
    this.#hold('get', () => super.get(id, (...answer) => this.#answer('get', () => done(...answer))))
  }

  override set(id: string, record: session.SessionData, done?: (error?: unknown) => void): void {
    const content = JSON.parse(JSON.stringify(record))
    const error = this.failsAfter ? new Error('connection reset') : undefined
    this.failsAfter = false
    if (this.doesNothing) {
      this.doesNothing = false
      return void setImmediate(() => done?.(new Error('connection refused')))
    }
    this.#hold('set', () => super.set(id, content, () => this.#answer('set', () => done?.(error))))
  }

  override destroy(id: string, done?: (error?: unknown) => void): void {
    this.#hold('destroy', () => super.destroy(id, done))
  }

  /** The next `set` has its effect, and answers with an error. */
  failsAfter = false
  /** The next `set` has none, and answers with an error. */
  doesNothing = false

  release(kind: 'held' | 'answers', method: string): void {
    const waiting = this[kind][method] ?? []
    this[kind][method] = undefined
    for (const go of waiting) go()
  }

  #hold(method: string, go: () => void): void {
    if (this.held[method]) this.held[method].push(go)
    else go()
  }

  #answer(method: string, go: () => void): void {
    if (this.answers[method]) this.answers[method].push(go)
    else go()
  }
}

/** There are other nodes, who hear nothing. */
class OtherNodes extends Adapter {
  override serverSideEmit(): void {}
}

async function start(options: Parameters<typeof startApp>[0] = {}) {
  const store = new HeldStore()
  const app = await startApp({ store, ...options })
  app.io.on('connection', (socket) => {
    socket.on('read', (answer) => answer(socket.handshake.session.theme ?? null))
    socket.on('save', (key, value, answer) => {
      socket.handshake.session[key] = value
      socket.handshake.session.save((error) => answer(error?.code ?? null))
    })
  })
  const cookie = await app.login()
  return { app, store, cookie, id: idOf(cookie), stored: () => read(otherProgram(store), idOf(cookie)) }
}

type Started = Awaited<ReturnType<typeof start>>

const holds = (waiting: () => unknown[] | undefined, count: number) =>
  vi.waitFor(() => expect(waiting()).toHaveLength(count))

function count(session: { count?: number }): void {
  session.count = (session.count ?? 0) + 1
}

async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}

/** As another node does: writes, and tells. */
async function writeElsewhere(app: App, id: string, key: string, value: unknown): Promise<void> {
  await write(otherProgram(app.store), id, key, value)
  hear(app, { changed: [app.sessions.room(id)] })
}

describe('observation', () => {
  test('a request’s late answer does not take the session back behind an acknowledged update', async () => {
    const { app, store, cookie, id, stored } = await start()
    const { client } = await pair(app, cookie)
    store.answers['set'] = []
    const slow = app.get('/set/theme/old', cookie)
    await holds(() => store.answers['set'], 1)
    const [late] = store.answers['set'] ?? []
    store.answers['set'] = undefined
    const updating = app.sessions.update(id, (s) => {
      s['theme'] = 'new'
    })
    await updating
    late?.()
    await slow
    expect(await ask(client, 'read')).toBe('new')
    expect(await stored()).toMatchObject({ theme: 'new' })
  })

  test('what a save has read before a request wrote does not take the session back', async () => {
    const { app, store, cookie } = await start()
    const { client } = await pair(app, cookie)
    store.answers['get'] = []
    const saving = ask(client, 'save', 'x', 1)
    await holds(() => store.answers['get'], 1)
    const [early] = store.answers['get'] ?? []
    store.answers['get'] = undefined
    await app.get('/set/theme/dark', cookie)
    store.answers['get'] = [] // What is read again has not come when the event does.
    early?.()
    expect(await ask(client, 'read')).toBe('dark')
    store.release('answers', 'get')
    expect(await saving).toBeNull()
    expect(await ask(client, 'read')).toBe('dark')
  })

  test('a read during which news of another node came is read again', async () => {
    const { app, store, cookie, id } = await start()
    const { client } = await pair(app, cookie)
    store.answers['get'] = []
    hear(app, { changed: [app.sessions.room(id)] })
    await holds(() => store.answers['get'], 1)
    await writeElsewhere(app, id, 'theme', 'dark')
    const seen = ask(client, 'read')
    store.release('answers', 'get')
    expect(await seen).toBe('dark')
  })

  test('a write during which news of another node came does not say what the store holds', async () => {
    const { app, store, cookie, id } = await start()
    const { client } = await pair(app, cookie)
    store.answers['set'] = []
    const saving = app.get('/set/theme/old', cookie)
    await holds(() => store.answers['set'], 1)
    store.held['get'] = []
    await writeElsewhere(app, id, 'theme', 'new')
    store.release('answers', 'set')
    await saving
    const seen = ask(client, 'read')
    store.release('held', 'get')
    expect(await seen).toBe('new')
  })

  test('a second namespace of a connection gets the session as it is, also when what is known was disturbed', async () => {
    const { app, store, cookie, id } = await start()
    const { client } = await pair(app, cookie)
    app.io.of('/more').on('connection', (socket) => socket.emit('theme', socket.handshake.session['theme'] ?? null))
    store.held['get'] = []
    await writeElsewhere(app, id, 'theme', 'dark')
    const more = client.io.socket('/more', {})
    const seen = next(more, 'theme')
    more.connect()
    await holds(() => store.held['get'], 1)
    await turns()
    store.release('held', 'get')
    expect(await seen).toBe('dark')
  })

  test('load gives the session as it is, also when a request wrote during its read', async () => {
    const { app, store, cookie } = await start()
    store.answers['get'] = []
    const loading = app.sessions.load({ headers: { cookie } })
    await holds(() => store.answers['get'], 1)
    const [early] = store.answers['get'] ?? []
    store.answers['get'] = undefined
    await app.get('/set/theme/dark', cookie)
    early?.()
    expect((await loading)['theme']).toBe('dark')
  })

  test('what was learnt costs no read, also after news, and after a write that was given up and answered late', async () => {
    const { app, store, cookie, id } = await start({ timeout: 200 })
    const { client } = await pair(app, cookie)
    const readsOf = async (theme: string) => {
      store.reset()
      expect(await ask(client, 'read')).toBe(theme)
      return store.calls.get
    }
    store.answers['set'] = []
    const slow = app.get('/set/theme/old', cookie)
    await holds(() => store.answers['set'], 1)
    await vi.waitFor(async () => expect(await readsOf('old')).toBe(1)) // It is given up.
    store.release('answers', 'set')
    await slow
    expect(await readsOf('old')).toBe(1)
    expect(await readsOf('old')).toBe(0)
    await app.get('/set/theme/new', cookie)
    expect(await readsOf('new')).toBe(0)
    await writeElsewhere(app, id, 'theme', 'newest')
    await ask(client, 'read')
    expect(await readsOf('newest')).toBe(0)
  })

  test('a write that is answered late does not take the session back behind what a read has seen since', async () => {
    const { app, store, cookie, id } = await start({ freshFor: 1e9 })
    const { client, socket } = await pair(app, cookie)
    store.answers['set'] = []
    const slow = app.get('/set/theme/old', cookie)
    await holds(() => store.answers['set'], 1)
    await write(otherProgram(store), id, 'theme', 'new')
    await new Promise((reloaded) => socket.handshake.session.reload(reloaded))
    expect(await ask(client, 'read')).toBe('new')
    store.release('answers', 'set')
    await slow
    expect(await ask(client, 'read')).toBe('new')
  })

  test('a read that is answered during a write, with what was before, is not taken for what was written', async () => {
    const store = new VersionedStore()
    const app = await startApp({ store, freshFor: 1e9 })
    const cookie = await app.login()
    const texts = (store as unknown as { sessions: Record<string, string> }).sessions
    const { session } = (await pair(app, cookie)).socket.handshake
    const before = texts[idOf(cookie)] as string
    const doings = new EventEmitter()
    const readVersioned = store.getVersioned.bind(store)
    store.getVersioned = async (id) => {
      const found = await readVersioned(id)
      await once(doings, 'read')
      return found
    }
    const reloaded = new Promise((done) => session.reload(done))
    await vi.waitFor(() => expect(store.trips.reads).toBe(2))
    store.afterWrite = () => once(doings, 'written')
    session['theme'] = 'dark'
    const saved = new Promise((done) => session.save(done))
    await vi.waitFor(() => expect(texts[idOf(cookie)]).not.toBe(before))
    doings.emit('read')
    await reloaded
    doings.emit('written')
    await saved
    store.getVersioned = readVersioned
    store.afterWrite = () => {}
    texts[idOf(cookie)] = before // As another program writes that takes the theme out again.
    session['color'] = 'red'
    expect(await new Promise((done) => session.save(done))).toBeFalsy()
    const stored = await read(otherProgram(store), idOf(cookie))
    expect([stored?.['theme'], stored?.['color']]).toEqual([undefined, 'red'])
  })

  test('a read that says what a write has told is doubted all the same when news came after that', async () => {
    const { app, store, cookie, id, stored } = await start()
    const { client } = await pair(app, cookie)
    const record = await stored()
    store.held['get'] = []
    hear(app, { changed: [app.sessions.room(id)] })
    await holds(() => store.held['get'], 1)
    await new Promise((written) => store.set(id, { ...record, theme: 'dark' } as session.SessionData, written))
    store.answers['get'] = []
    store.release('held', 'get')
    await holds(() => store.answers['get'], 1)
    await writeElsewhere(app, id, 'theme', 'new')
    store.release('answers', 'get')
    expect(await ask(client, 'read')).toBe('new')
  })

  test('a session that has expired reaches no handler, however fresh it is', async () => {
    const { app, cookie } = await start({
      freshFor: 1e9,
      recheck: 1e9,
      io: { pingInterval: 1e6 },
      session: { cookie: { maxAge: 60_000 } },
    })
    const { client, socket } = await pair(app, cookie)
    const handled: number[] = []
    socket.on('n', (n) => handled.push(n))
    const gone = next(client, 'disconnect')
    later(60_001)
    client.emit('n', 1)
    await gone
    expect(handled).toEqual([])
  })

  class DisturbedStore extends CountingStore {
    /** How many of its answers come after `whenRead`. */
    times = 0
    whenRead = async (_left: number) => {}

    override get(id: string, done: (error: unknown, record?: session.SessionData | null) => void): void {
      super.get(id, async (...answer) => {
        if (this.times > 0) await this.whenRead(--this.times)
        done(...answer)
      })
    }
  }

  test('a read that was disturbed eight times is handed out to nobody who can wait for another', async () => {
    const store = new DisturbedStore()
    const app = await startApp({ store })
    const cookie = await app.login()
    const { client, socket } = await pair(app, cookie)
    socket.on('read', (answer) => answer(socket.handshake.session['theme']))
    const { sessions } = store as unknown as { sessions: Record<string, string> }
    const [id, room] = [idOf(cookie), app.sessions.room(idOf(cookie))]
    let theme = 0
    store.whenRead = async () => {
      sessions[id] = JSON.stringify({ ...JSON.parse(sessions[id] ?? ''), theme: ++theme })
      hear(app, { changed: [room] })
    }
    store.times = 8
    hear(app, { changed: [room] })
    expect(await ask(client, 'read')).toBe(8)
  })

  test('the last of eight disturbed reads takes back nothing that a request wrote meanwhile', async () => {
    const store = new DisturbedStore()
    const app = await startApp({ store, freshFor: 0 })
    const cookie = await app.login()
    const { client, socket } = await pair(app, cookie)
    socket.on('read', (answer) => answer(socket.handshake.session['theme']))
    store.whenRead = async (left) => {
      if (left === 0) await app.get('/set/theme/dark', cookie)
      else hear(app, { changed: [app.sessions.room(idOf(cookie))] })
    }
    store.times = 8
    expect(await ask(client, 'read')).toBe('dark')
  })

  test('reads of one session do not overlap', async () => {
    const { app, store, cookie, id } = await start()
    const { socket } = await pair(app, cookie)
    store.held['get'] = []
    hear(app, { changed: [app.sessions.room(id)] })
    const updating = app.sessions.update(socket, count)
    await turns()
    const reads = store.held['get']?.length
    store.release('held', 'get')
    await updating
    expect(reads).toBe(1)
  })

  test.each(['event', 'request'])('what extended the session is known without a read: %s', async (what) => {
    const maxAge = 60_000
    const { app, store, cookie, stored } = await start({
      freshFor: 1e9,
      recheck: 1e9,
      io: { pingInterval: 1e6 },
      session: { cookie: { maxAge } },
    })
    const { client, socket } = await pair(app, cookie)
    later(30_000)
    if (what === 'event') await ask(client, 'read')
    else await app.get('/session', cookie)
    await vi.waitFor(() => expect(store.calls.touch).toBe(1))
    await turns()
    const record = await stored()
    expect(socket.handshake.session.cookie.expires).toEqual(new Date(String(record?.cookie.expires)))
    later(40_000)
    store.reset()
    await ask(client, 'read')
    expect(store.calls.get).toBe(0)
  })

  test.each(['alone', 'beside a socket'])('a loaded session is renewed by its reload: %s', async (where) => {
    const { app, store, cookie, id } = await start()
    const loaded = await app.sessions.load({ headers: { cookie } })
    await turns()
    if (where !== 'alone') await pair(app, cookie)
    await write(otherProgram(store), id, 'theme', 'dark')
    hear(app, { changed: [app.sessions.room(id)] })
    expect(await new Promise((reloaded) => loaded.reload(reloaded))).toBeFalsy()
    expect(loaded).toMatchObject({ theme: 'dark' })
  })

  test('what a request could not write, as far as the store says, is read again', async () => {
    const { app, store, cookie, id } = await start()
    const { client } = await pair(app, cookie)
    await writeElsewhere(app, id, 'theme', 'dark')
    expect(await ask(client, 'read')).toBe('dark')
    store.doesNothing = true
    await app.get('/set/theme/light', cookie).catch(() => {})
    expect(await ask(client, 'read')).toBe('dark')
  })

  test('what a failed update carried for a socket, and what was deleted there since, does not come back', async () => {
    const { app, store, cookie, id, stored } = await start()
    const { socket } = await pair(app, cookie)
    const session = socket.handshake.session
    session['draft'] = 'text'
    store.failsAfter = true
    const update = app.sessions.update(socket, (s) => {
      s.count = 1
    })
    await expect(update).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
    expect(await stored()).toMatchObject({ draft: 'text' })
    delete session['draft']
    await app.sessions.update(id, (s) => {
      s.count = 2
    })
    expect(session).not.toHaveProperty('draft')
    expect(await stored()).not.toHaveProperty('draft')
  })
})

describe('ending', () => {
  /** What a write does with the answer that the store gives it. */
  const outcomes = ['succeeds', 'fails', 'is given up, and lands'] as const

  describe.each(outcomes)('a write that %s after its session was destroyed', (outcome) => {
    test.each(['update', 'request'])('leaves nothing of it: %s', async (who) => {
      const { app, store, cookie, id, stored } = await start({
        timeout: outcome.startsWith('is given up') ? 500 : 10_000,
      })
      store.held['set'] = []
      if (outcome === 'fails') store.failsAfter = true
      const writing =
        who === 'update'
          ? app.sessions.update(id, count).catch((error: SessionError) => error.code)
          : app.get('/set/theme/dark', cookie).catch(() => {})
      await holds(() => store.held['set'], 1)
      await app.sessions.revoke(id)
      if (outcome.startsWith('is given up')) await vi.waitFor(() => expect(store.calls.destroy).toBe(2), 5_000)
      store.release('held', 'set')
      await writing
      await vi.waitFor(async () => expect(await stored()).toBeUndefined())
    })
  })

  test('a loaded session is over as soon as its destroy has begun', async () => {
    const { app, store, cookie, stored } = await start()
    const loaded = await app.sessions.load({ headers: { cookie } })
    await turns()
    store.held['destroy'] = []
    const leaving = app.get('/logout', cookie)
    await holds(() => store.held['destroy'], 1)
    loaded.count = 1
    expect(await new Promise((saved) => loaded.save(saved))).toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
    expect(await stored()).not.toHaveProperty('count')
    store.release('held', 'destroy')
    await leaving
  })

  describe('what a process that hears no news writes of a session', () => {
    test.each([
      ['that was destroyed here', ({ app, id }: Started) => app.sessions.revoke(id)],
      [
        'that another node has ended',
        async ({ app, store, id }: Started) => {
          await new Promise((destroyed) => otherProgram(store).destroy(id, destroyed))
          hear(app, { ended: [[app.sessions.room(id), 'destroyed']] })
        },
      ],
    ])('%s is destroyed again when that is told', async (_how, end) => {
      const started = await start({ freshFor: 0 })
      const { app, store, cookie, id, stored } = started
      await pair(app, cookie)
      const record = await stored()
      await end(started)
      await new Promise((written) => otherProgram(store).set(id, record as session.SessionData, written))
      hear(app, { changed: [app.sessions.room(id)] })
      await vi.waitFor(async () => expect(await stored()).toBeUndefined())
    })

    test('that the store once missed is left alone', async () => {
      const { app, store, cookie, id, stored } = await start({ freshFor: 0 })
      await pair(app, cookie)
      const record = await stored()
      await new Promise((destroyed) => otherProgram(store).destroy(id, destroyed))
      await expect(app.sessions.update(id, count)).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
      await new Promise((written) => otherProgram(store).set(id, record as session.SessionData, written))
      store.reset()
      hear(app, { changed: [app.sessions.room(id)] })
      await turns()
      expect(store.calls.destroy).toBe(0)
    })
  })

  test('explain lets in to no session whose destroy has begun', async () => {
    const { app, store, cookie, id } = await start()
    const handshake = { headers: { cookie } }
    expect(await app.sessions.explain(handshake)).toMatchObject({ accepted: true })
    store.held['destroy'] = []
    const revoking = app.sessions.revoke(id)
    expect(await app.sessions.explain(handshake)).toMatchObject({ accepted: false, code: 'ERR_SESSION_NOT_FOUND' })
    store.release('held', 'destroy')
    await revoking
  })

  test.each(['a plain record', 'the session of a socket'])(
    '%s that is written after it is no new session',
    async (what) => {
      const { app, store, cookie, id, stored } = await start()
      const { socket } = await pair(app, cookie)
      const record = what === 'a plain record' ? await stored() : socket.handshake.session
      await app.sessions.revoke(id)
      await new Promise((written) => store.set(id, record as session.SessionData, written))
      expect(await stored()).toBeUndefined()
    },
  )

  test('what this process wrote just before the news of an ending came is destroyed again', async () => {
    const { app, id, stored } = await start({ io: { adapter: OtherNodes } })
    await app.sessions.update(id, count)
    await turns()
    expect(await stored()).toBeDefined()
    hear(app, { ended: [[app.sessions.room(id), 'destroyed']] })
    await vi.waitFor(async () => expect(await stored()).toBeUndefined())
  })

  test('a destroy that fails is tried again where another node has ended the session meanwhile', async () => {
    const store = new FaultyStore()
    const app = await startApp({ store })
    const cookie = await app.login()
    store.broken = { method: 'destroy', fault: 'answers late, the socket is gone' }
    const held = once(store.late, 'held')
    const revoking = app.sessions.revoke(idOf(cookie))
    await held
    hear(app, { ended: [[app.sessions.room(idOf(cookie)), 'destroyed']] })
    vi.spyOn(session.MemoryStore.prototype, 'destroy').mockImplementationOnce((_id, done) => done?.(new Error('down')))
    store.broken = undefined
    store.late.emit('release')
    await expect(revoking).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
    await vi.waitFor(async () => expect(await read(store, idOf(cookie))).toBeUndefined())
  })

  test('destroying again is tried until it succeeds', async () => {
    const store = new FaultyStore()
    const failures = new EventEmitter()
    const app = await startApp({ store, onError: (_error, { stage }) => failures.emit(stage) })
    const cookie = await app.login()
    const theirs = otherProgram(store)
    store.broken = { method: 'set', fault: 'answers late, the socket is gone' }
    const held = once(store.late, 'held')
    const updating = app.sessions.update(idOf(cookie), count).catch(() => {})
    await held
    await app.sessions.revoke(idOf(cookie))
    store.broken = { method: 'destroy', fault: 'fails with a string' }
    const failed = once(failures, 'save')
    store.late.emit('release')
    await updating
    await failed
    expect(await read(theirs, idOf(cookie))).toBeDefined()
    store.broken = undefined
    await vi.waitFor(async () => expect(await read(theirs, idOf(cookie))).toBeUndefined(), 5_000)
  })

  test('the clock runs as long as something is to be destroyed again, also when no session is live', async () => {
    const store = new FaultyStore()
    const failures = new EventEmitter()
    const app = await startApp({ store, onError: (_error, { stage }) => failures.emit(stage) })
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const cookie = await app.login()
    store.broken = { method: 'set', fault: 'answers late, the socket is gone' }
    const held = once(store.late, 'held')
    const updating = app.sessions.update(idOf(cookie), count).catch(() => {})
    await held
    await app.sessions.revoke(idOf(cookie))
    await vi.advanceTimersByTimeAsync(2_000)
    expect(vi.getTimerCount()).toBe(0)
    store.broken = { method: 'destroy', fault: 'fails with a string' }
    const failed = once(failures, 'save')
    store.late.emit('release')
    await updating
    await failed
    expect(vi.getTimerCount()).toBe(1)
    store.broken = undefined
    const destroyed = once(store.late, 'destroy')
    await vi.advanceTimersByTimeAsync(1_000)
    await destroyed
    await vi.advanceTimersByTimeAsync(1_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('news of an ending costs no destroy when this process has not written the session lately', async () => {
    const { app, store, cookie, id } = await start({ io: { adapter: OtherNodes } })
    const { client } = await pair(app, cookie)
    later(6_000)
    const gone = next(client, 'disconnect')
    hear(app, { ended: [[app.sessions.room(id), 'destroyed']] })
    await gone
    await turns()
    expect(store.calls.destroy).toBe(0)
  })

  test('load of a session that another node has ended never resolves with it, whatever the store still has', async () => {
    const { app, cookie, id, stored } = await start()
    await turns() // Else the write of the login is taken for one that came after the end.
    hear(app, { ended: [[app.sessions.room(id), 'revoked']] })
    await expect(app.sessions.load({ headers: { cookie } })).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
    expect(await stored()).toBeDefined()
  })

  test('nor does one whose read was on its way then', async () => {
    const { app, store, cookie, id } = await start()
    store.held['get'] = []
    const loading = app.sessions.load({ headers: { cookie } })
    await holds(() => store.held['get'], 1)
    hear(app, { ended: [[app.sessions.room(id), 'revoked']] })
    store.release('held', 'get')
    await expect(loading).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
  })
})

describe('an app that writes the session of a socket by hand', () => {
  test('writes nothing of one that was destroyed, also when the socket had saved it', async () => {
    const { app, store, cookie, id, stored } = await start()
    const { client, socket } = await pair(app, cookie)
    const { session } = socket.handshake
    expect(await ask(client, 'save', 'theme', 'dark')).toBeNull()
    await app.sessions.revoke(id)
    await new Promise((written) => store.set(id, session as never, written))
    expect(await stored()).toBeUndefined()
  })
})

describe('order', () => {
  test('an event that waits for a read is not overtaken by a later one, for which a write has told enough', async () => {
    const { app, store, cookie, id, stored } = await start()
    const { client, socket } = await pair(app, cookie)
    const [handled, arrivals] = [[] as number[], new EventEmitter()]
    socket.onAny(() => arrivals.emit('event'))
    socket.on('n', (n) => handled.push(n))
    const record = await stored()
    store.held['get'] = []
    hear(app, { changed: [app.sessions.room(id)] })
    for (const n of [1, 2]) {
      const came = once(arrivals, 'event')
      client.emit('n', n)
      await came
      await new Promise((written) => store.set(id, { ...record, theme: 'dark' } as session.SessionData, written))
    }
    await turns()
    store.release('held', 'get')
    await vi.waitFor(() => expect(handled).toHaveLength(2))
    expect(handled).toEqual([1, 2])
  })
})

describe('work', () => {
  /** Three updates, which begin in turn, and end when they are told; `timeout` is 1,000. */
  async function startThree() {
    const { app, id } = await start({ timeout: 1_000 })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const doings = new EventEmitter()
    const begin = (n: number) =>
      app.sessions.update(id, () => {
        doings.emit(`begun ${n}`)
        return once(doings, `finish ${n}`)
      })
    const begun = [1, 2, 3].map((n) => once(doings, `begun ${n}`))
    const done = [1, 2, 3].map(begin)
    const pass = async (n: number, milliseconds: number) => {
      await begun[n - 1]
      vi.advanceTimersByTime(milliseconds)
    }
    return { app, id, done, doings, pass }
  }

  test('has as long as each piece may take, however long those before it took', async () => {
    const { done, doings, pass } = await startThree()
    for (const n of [1, 2, 3]) {
      await pass(n, 700)
      doings.emit(`finish ${n}`)
    }
    await Promise.all(done)
  })

  test('that waits is rejected when the piece before it is stuck', async () => {
    const { done, doings, pass } = await startThree()
    const others = [1, 2].map((n) => expect(done[n]).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' }))
    await pass(1, 1_000)
    await Promise.all(others)
    doings.emit('finish 1')
    await done[0]
  })

  test('that is stuck is given up where others are written with it, and they are', async () => {
    const { done, doings, pass } = await startThree()
    await pass(1, 700)
    doings.emit('finish 1')
    const stuck = expect(done[1]).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' })
    await pass(2, 1_000)
    await stuck
    await pass(3, 700)
    doings.emit('finish 3')
    await Promise.all([done[0], done[2]])
  })

  test('waits for a request that began to write during its read', async () => {
    const { app, store, cookie, id, stored } = await start()
    await pair(app, cookie)
    store.answers['get'] = []
    const updating = app.sessions.update(id, count)
    await holds(() => store.answers['get'], 1)
    const [answer] = store.answers['get'] ?? []
    store.answers['get'] = undefined
    store.held['set'] = []
    const slow = app.get('/set/theme/dark', cookie)
    await holds(() => store.held['set'], 1)
    const [late] = store.held['set'] ?? []
    store.held['set'] = undefined
    answer?.()
    await turns()
    late?.()
    await Promise.all([slow, updating])
    expect(await stored()).toMatchObject({ theme: 'dark', count: 1 })
  })

  test('asks the store nothing while it waits for the write of a request', async () => {
    const { app, store, cookie, id, stored } = await start()
    store.held['set'] = []
    const slow = app.get('/set/theme/dark', cookie)
    await holds(() => store.held['set'], 1)
    store.reset()
    const updating = app.sessions.update(id, count)
    await turns()
    const reads = store.calls.get
    store.release('held', 'set')
    await Promise.all([slow, updating])
    expect(reads).toBe(1) // Whether there is such a session.
    expect(await stored()).toMatchObject({ theme: 'dark', count: 1 })
  })

  test('does not wait for ever for others who begin to write during each of its reads', async () => {
    class BusyStore extends CountingStore {
      override get(id: string, done: (error: unknown, record?: session.SessionData | null) => void): void {
        super.get(id, (error, record) => {
          if (record) this.set(id, { ...record }, () => {})
          done(error, record)
        })
      }
    }
    const app = await startApp({ store: new BusyStore() })
    expect(await app.sessions.update(idOf(await app.login()), () => 'done')).toBe('done')
    await app.sessions.update(idOf(await app.login()), count)
  })

  test('that changes nothing writes nothing', async () => {
    const { app, store, id } = await start()
    store.reset()
    await app.sessions.update(id, () => {})
    await app.sessions.update(id, async () => {})
    expect(store.calls.set).toBe(0)
  })

  test('a save after two that came at once is one of its own', async () => {
    const { app, cookie, stored } = await start()
    const { socket } = await pair(app, cookie)
    const { session } = socket.handshake
    const save = (n: number) => {
      session.count = n
      return new Promise((saved) => session.save(saved))
    }
    expect(await Promise.all([save(1), save(2)])).toEqual([null, null])
    expect(await save(3)).toBeNull()
    expect(await stored()).toMatchObject({ count: 3 })
  })

  test('that starts over has its time anew', async () => {
    const { app, store, id } = await start({ timeout: 1_000 })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const doings = new EventEmitter()
    const first = once(doings, 'begun')
    const updating = app.sessions.update(id, async (s) => {
      const finish = once(doings, 'finish')
      doings.emit('begun')
      await finish
      count(s)
    })
    await first
    const waiting = app.sessions.update(id, count)
    await write(otherProgram(store), id, 'count', 7)
    vi.advanceTimersByTime(700)
    const second = once(doings, 'begun')
    doings.emit('finish')
    await second
    vi.advanceTimersByTime(700)
    doings.emit('finish')
    await Promise.all([updating, waiting])
  })

  test('that starts over has its time anew, a save too', async () => {
    const store = new VersionedStore()
    const app = await startApp({ store, timeout: 1_000 })
    const cookie = await app.login()
    const { session } = (await pair(app, cookie)).socket.handshake
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const writes = new EventEmitter()
    store.beforeWrite = () => {
      writes.emit('begun')
      return once(writes, 'go on')
    }
    const first = once(writes, 'begun')
    session['theme'] = 'dark'
    const saving = new Promise((done) => session.save(done))
    await first
    const waiting = app.sessions.update(idOf(cookie), count)
    await write(otherProgram(store), idOf(cookie), 'count', 7)
    vi.advanceTimersByTime(700)
    const second = once(writes, 'begun')
    writes.emit('go on')
    await second
    store.beforeWrite = () => {}
    vi.advanceTimersByTime(700)
    writes.emit('go on')
    expect(await saving).toBeFalsy()
    await waiting
  })

  test('a key that a handler deletes and saves stays deleted, though a request deletes it, too, and an older write lands after', async () => {
    const { app, store, cookie, id, stored } = await start()
    app.express.get('/forget', (req, res) => {
      delete (req.session as { theme?: string }).theme
      res.end()
    })
    await app.get('/set/theme/dark', cookie)
    const { client, socket } = await pair(app, cookie)
    const { session } = socket.handshake
    expect(await ask(client, 'read')).toBe('dark')
    store.held['set'] = []
    const updating = app.sessions.update(id, count)
    await holds(() => store.held['set'], 1)
    const [older] = store.held['set'] ?? []
    store.held['set'] = undefined
    delete session['theme']
    const saving = new Promise((done) => session.save(done))
    await app.get('/forget', cookie)
    expect(await ask(client, 'read')).toBeNull()
    older?.()
    await updating
    expect(await saving).toBeNull()
    expect(await ask(client, 'read')).toBeNull()
    expect(await stored()).toMatchObject({ count: 1 })
    expect(await stored()).not.toHaveProperty('theme')
  })

  test('a save that fails claims nothing any more: what a request writes later is seen', async () => {
    const { app, store, cookie, id } = await start()
    const { client, socket } = await pair(app, cookie)
    const { session } = socket.handshake
    const change = new EventEmitter()
    const begun = once(change, 'begun')
    const updating = app.sessions.update(id, async () => {
      change.emit('begun')
      await once(change, 'finish')
    })
    await begun
    session['theme'] = 'dark'
    const saving = new Promise<SessionError>((done) => session.save(done as never))
    await app.get('/set/theme/dark', cookie)
    expect(await ask(client, 'read')).toBe('dark')
    store.doesNothing = true
    change.emit('finish')
    await updating
    expect(await saving).toMatchObject({ code: 'ERR_SESSION_STORE' })
    await app.get('/set/theme/light', cookie)
    expect(await ask(client, 'read')).toBe('light')
  })

  test('makes way for the write of a request, for a tenth of `timeout`', async () => {
    const { app, store, cookie, id, stored } = await start({ timeout: 10_000 })
    store.held['set'] = []
    const slow = app.get('/set/theme/dark', cookie)
    await holds(() => store.held['set'], 1)
    const [late] = store.held['set'] ?? []
    store.held['set'] = undefined
    await app.sessions.update(id, count)
    expect(await stored()).toMatchObject({ count: 1 })
    late?.()
    await slow
  }, 7_000)
})

describe('time', () => {
  test('with the wall clock set back, a session that another program deleted is over all the same', async () => {
    const { app, store, cookie, id } = await start({ freshFor: 20, recheck: 40 })
    const { client } = await pair(app, cookie)
    const real = Date.now
    vi.spyOn(Date, 'now').mockImplementation(() => real() - 3_600_000)
    onTestFinished(() => void vi.restoreAllMocks())
    const gone = next(client, 'disconnect')
    await new Promise((done) => otherProgram(store).destroy(id, done))
    await gone
  })

  test('freshFor is counted from when the store was asked, not from its answer', async () => {
    const { app, store, cookie } = await start({ freshFor: 5_000 })
    store.answers['get'] = []
    const connecting = pair(app, cookie)
    await holds(() => store.answers['get'], 1)
    later(5_001)
    store.release('answers', 'get')
    const { client } = await connecting
    store.reset()
    await ask(client, 'read')
    expect(store.calls.get).toBe(1)
  })
})

describe('requests whose writes are merged', () => {
  test('lose nothing to a read that began before their own', async () => {
    const { app, store, cookie, id, stored } = await start({ mergeHttpSaves: true })
    app.express.get('/forget', (req, res) => {
      delete req.session['theme']
      res.json(null)
    })
    await pair(app, cookie)
    store.answers['get'] = []
    hear(app, { changed: [app.sessions.room(id)] })
    await holds(() => store.answers['get'], 1)
    const [early] = store.answers['get'] ?? []
    store.answers['get'] = undefined
    for (const key of ['theme', 'size']) await write(otherProgram(store), id, key, 'of another node')
    const request = app.get('/forget', cookie)
    await vi.waitFor(() => expect(store.calls.get).toBeGreaterThan(2))
    await turns()
    early?.()
    await request
    expect(await stored()).not.toHaveProperty('theme')
    expect(await stored()).toHaveProperty('size')
  })

  test('do not wait for an update that takes longer than `timeout`, and do not fail with it', async () => {
    const { app, cookie, id, stored } = await start({ mergeHttpSaves: true, timeout: 50 })
    const doings = new EventEmitter()
    const busy = app.sessions.update(id, (s) => {
      s.count = 1
      doings.emit('begun')
      return once(doings, 'finish')
    })
    const waiting = app.sessions.update(id, () => {})
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' })
    await app.get('/set/theme/dark', cookie)
    expect(await stored()).toMatchObject({ theme: 'dark' })
    doings.emit('finish')
    await busy
    expect(await stored()).toMatchObject({ theme: 'dark', count: 1 })
  })
})

describe('a store that calls itself', () => {
  class SetTwice extends CountingStore {
    isAgain = false

    /** Writes, and writes once more, by the method that everybody calls. */
    override set(...[id, record, done]: Parameters<CountingStore['set']>): void {
      const isAgain = this.isAgain
      this.isAgain = !isAgain
      super.set(id, record, isAgain ? done : () => this.set(id, record, done))
    }
  }

  /** Renews the record whenever it is read, before it answers or after. */
  class SetInGet extends CountingStore {
    override get(id: string, done: (error: unknown, record?: session.SessionData | null) => void): void {
      super.get(id, (error, record) => {
        if (!record) return done(error, record)
        Object.assign(record, { seen: this.calls.get })
        this.set(id, record, () => done(null, record))
      })
    }
  }

  describe.each([
    ['set in set', SetTwice],
    ['set in get', SetInGet],
  ])('%s', (_name, Store) => {
    test.each([true, false])('works, mergeHttpSaves: %s', async (mergeHttpSaves) => {
      const store = new Store()
      const app = await startApp({ store, mergeHttpSaves, timeout: 2_000 })
      const cookie = await app.login()
      const { client, socket } = await pair(app, cookie)
      socket.on('read', (answer) => answer(socket.handshake.session['theme'] ?? null))
      await app.get('/set/theme/dark', cookie)
      expect(await ask(client, 'read')).toBe('dark')
      socket.handshake.session['size'] = 'big'
      expect(await new Promise((saved) => socket.handshake.session.save(saved))).toBeNull()
      for (let i = 0; i < 3; i++) await app.sessions.update(socket, count)
      expect(await read(otherProgram(store), idOf(cookie))).toMatchObject({ theme: 'dark', size: 'big', count: 3 })
      expect(store.calls.get).toBeLessThan(40)
    })
  })

  test('what a socket saves there is known by that: the next event reads nothing', async () => {
    const store = new SetTwice()
    const app = await startApp({ store })
    const { client, socket } = await pair(app, await app.login())
    socket.on('work', (answer) => answer())
    socket.handshake.session['size'] = 'big'
    expect(await new Promise((saved) => socket.handshake.session.save(saved))).toBeNull()
    store.reset()
    await ask(client, 'work')
    expect(store.calls.get).toBe(0)
  })
})
