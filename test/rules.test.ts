/**
 * The four rules of `src/session`, each by what an app sees of it: what an answer of the store is worth, what an ending
 * undoes, in which order events come, and which clock counts. `test/model` looks for what nobody has thought of.
 */
import { EventEmitter, once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import type session from 'express-session'
import type { SessionError } from 'handshake-session'
import { Adapter } from 'socket.io-adapter'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type App, ask, hear, idOf, next, pair, startApp } from './support/app.js'
import { CountingStore } from './support/counting-store.js'
import { FaultyStore } from './support/faulty-store.js'
import { later } from './support/later.js'
import { otherProgram, read, write } from './support/other-program.js'

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
    this.#hold('set', () => super.set(id, content, () => this.#answer('set', () => done?.(error))))
  }

  override destroy(id: string, done?: (error?: unknown) => void): void {
    this.#hold('destroy', () => super.destroy(id, done))
  }

  /** The next `set` has its effect, and answers with an error. */
  failsAfter = false

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
    const seen = ask(client, 'read')
    early?.()
    expect(await seen).toBe('dark')
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

  test('what this process wrote just before the news of an ending came is destroyed again', async () => {
    const { app, id, stored } = await start({ io: { adapter: OtherNodes } })
    await app.sessions.update(id, count)
    await turns()
    expect(await stored()).toBeDefined()
    hear(app, { ended: [[app.sessions.room(id), 'destroyed']] })
    await vi.waitFor(async () => expect(await stored()).toBeUndefined())
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
