/**
 * express-socket.io-session: the same app with the original and with ours. What worked works; what was stale is fresh, what
 * was lost is kept, what outlived a logout is closed.
 */
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { setImmediate as turn } from 'node:timers/promises'
import session from 'express-session'
import { SessionError } from 'handshake-session'
import sharedSession from 'handshake-session/compat/express-socket.io-session'
import { SessionRegistry } from 'handshake-session/internals'
import type { Socket as ServerSocket } from 'socket.io'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type App, ask, connect, idOf, next } from '../support/app.js'
import { CountingStore } from '../support/counting-store.js'
import { otherProgram } from '../support/other-program.js'
import { signedCookie } from './handshakes.js'
import { fateOf, heldBy, join, type Middleware, serve, startBare, stored, written } from './shared-session.js'

type Make = (...args: unknown[]) => Middleware

const require = createRequire(import.meta.url)
const original = require('express-socket.io-session') as Make
const ours = sharedSession as unknown as Make
const both: [string, Make][] = [
  ['express-socket.io-session 1.3.5', original],
  ['ours', ours],
]

/** Opened by a test, finished by the handler. */
function gate(): { opened: Promise<void>; open(): void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

async function start(make: Make, options: object = {}, store?: session.Store) {
  const app = await startBare(store && { store })
  app.io.use(make(app.middleware, options))
  app.io.on('connection', serve)
  return app
}

describe.each(both)('kept, by %s', (_, make) => {
  test('the session of the cookie, its id, and the cookies, before connection', async () => {
    const app = await start(make)
    const cookie = await app.login()
    const { socket } = await join(app, cookie)
    expect(heldBy(socket)).toMatchObject({ user: 'ann' })
    expect(heldBy(socket)).toBeInstanceOf(session.Session)
    expect(socket.handshake).toMatchObject({ sessionID: idOf(cookie) })
    expect(socket.handshake).toHaveProperty('cookies')
  })

  test('save() reaches HTTP, reload() brings what HTTP wrote', async () => {
    const app = await start(make)
    const cookie = await app.login()
    const { client, socket } = await join(app, cookie)
    await ask(client, 'set', 'count', 7)
    expect(await ask(client, 'save')).toBe('saved')
    expect(await app.get('/session', cookie)).toMatchObject({ user: 'ann', count: 7 })
    await app.get('/set/theme/dark', cookie)
    await new Promise((resolve) => heldBy(socket).reload(resolve))
    expect(heldBy(socket)).toMatchObject({ theme: 'dark' })
  })

  test.each([
    ['no cookie', undefined],
    ['a forged cookie', signedCookie('ann-id', undefined, 'guessed')],
    ['a cookie of no session', 'valid'],
  ])('a visitor with %s has a session of its own, stored once it is saved', async (_case, cookie) => {
    const app = await start(make)
    const set = vi.spyOn(app.store, 'set')
    const signed = cookie === 'valid' ? signedCookie('nobody', undefined, 'keyboard cat') : cookie
    const [one, two] = [await join(app, signed), await join(app, signed)]
    const [mine, yours] = [heldBy(one.socket), heldBy(two.socket)]
    expect(mine.id).toBe((one.socket.handshake as { sessionID?: string }).sessionID)
    expect(mine.id).not.toBe(yours.id)
    expect(['ann-id', 'nobody']).not.toContain(mine.id)
    await ask(one.client, 'set', 'seen', true)
    expect(await ask(one.client, 'get', 'seen')).toBe(true)
    expect(await ask(two.client, 'get', 'seen')).toBeNull()
    expect(set).not.toHaveBeenCalled()
    expect(await ask(one.client, 'save')).toBe('saved')
    expect(await stored(app, mine.id)).toMatchObject({ seen: true })
    expect(await stored(app, yours.id)).toBeFalsy()
  })

  test('autoSave: what a listener changed is saved, and nothing where nothing changed', async () => {
    const app = await start(make, { autoSave: true })
    const cookie = await app.login()
    const { client } = await join(app, cookie)
    const set = vi.spyOn(app.store, 'set')
    await ask(client, 'get', 'user')
    await ask(client, 'get', 'user')
    expect(set).not.toHaveBeenCalled()
    client.emit('set', 'count', 1)
    expect(await written(app, idOf(cookie), 'count')).toMatchObject({ user: 'ann', count: 1 })
  })

  test('autoSave: of a visitor, too, once it is changed', async () => {
    const app = await start(make, { autoSave: true })
    const { client, socket } = await join(app)
    const set = vi.spyOn(app.store, 'set')
    await ask(client, 'get', 'seen')
    await ask(client, 'get', 'seen')
    expect(set).not.toHaveBeenCalled()
    client.emit('set', 'seen', true)
    expect(await written(app, heldBy(socket).id, 'seen')).toMatchObject({ seen: true })
  })

  test('a namespace, with a cookie parser of its own', async () => {
    const app = await startBare()
    const cookie = await app.login()
    const parser = vi.fn((_request, _response, next) => next())
    const chat = app.io.of('/chat').use(make(app.middleware, parser, { autoSave: true }))
    const connection = next<ServerSocket>(chat, 'connection')
    await next(connect(`${app.url}/chat`, cookie), 'connect')
    expect(heldBy(await connection)).toMatchObject({ user: 'ann' })
    expect(parser).toHaveBeenCalledOnce()
  })

  test('what the cookie parser fails with refuses', async () => {
    const app = await startBare()
    app.io.use(make(app.middleware, (_q: unknown, _s: unknown, next: (e: Error) => void) => next(new Error('no'))))
    expect(await next(connect(app.url), 'connect_error')).toMatchObject({ message: 'no' })
  })
})

/** Changes something after an `await`; the listener's promise is what tells. */
function addLate(app: App, { opened }: { opened: Promise<void> }): void {
  app.io.on('connection', (socket) => {
    socket.on('late', async (key, answer) => {
      answer()
      await opened
      heldBy(socket)[key] = 'late'
    })
  })
}

describe('mended, where the original goes stale, loses, or stays', () => {
  test('what HTTP writes', async () => {
    const seenBy = async (make: Make) => {
      const app = await start(make)
      const cookie = await app.login()
      const { client } = await join(app, cookie)
      await app.get('/set/theme/dark', cookie)
      return ask(client, 'get', 'theme')
    }
    expect(await seenBy(original)).toBeNull()
    expect(await seenBy(ours)).toBe('dark')
  })

  test('a save keeps what HTTP wrote meanwhile', async () => {
    const leftBy = async (make: Make) => {
      const app = await start(make)
      const cookie = await app.login()
      const { client } = await join(app, cookie)
      await app.get('/set/theme/dark', cookie)
      await ask(client, 'set', 'count', 7)
      expect(await ask(client, 'save')).toBe('saved')
      return app.get('/session', cookie)
    }
    expect(await leftBy(original)).not.toHaveProperty('theme')
    expect(await leftBy(ours)).toMatchObject({ user: 'ann', theme: 'dark', count: 7 })
  })

  test('a logout closes the socket, and no save brings the session back', async () => {
    const fateBy = async (make: Make) => {
      const app = await start(make, { autoSave: true })
      const cookie = await app.login()
      const { client, socket } = await join(app, cookie)
      const left = next(socket, 'disconnect').then(() => 'closed')
      await app.get('/logout', cookie)
      client.emit('set', 'count', 7)
      const fate = await Promise.race([left, written(app, idOf(cookie), 'count').then(() => 'back')])
      return [fate, Boolean(await stored(app, idOf(cookie)))]
    }
    expect(await fateBy(original)).toEqual(['back', true])
    expect(await fateBy(ours)).toEqual(['closed', false])
  })

  test('autoSave: what a listener changes after an await', async () => {
    const leftBy = async (make: Make) => {
      const app = await start(make, { autoSave: true })
      const late = gate()
      addLate(app, late)
      const cookie = await app.login()
      const { client } = await join(app, cookie)
      await ask(client, 'late', 'item')
      late.open()
      for (let turns = 0; turns < 20; turns++) await turn()
      return stored(app, idOf(cookie))
    }
    expect(await leftBy(original)).not.toHaveProperty('item')
    expect(await leftBy(ours)).toMatchObject({ user: 'ann', item: 'late' })
  })
})

describe('the new session of a visitor, once it is saved', () => {
  async function saved(options: object = {}) {
    const app = await start(ours, options)
    const visitor = await join(app)
    await ask(visitor.client, 'set', 'seen', 1)
    expect(await ask(visitor.client, 'save')).toBe('saved')
    return { app, ...visitor, id: heldBy(visitor.socket).id }
  }

  const write = (app: App, id: string, data: object) =>
    new Promise((resolve) => app.store.set(id, { cookie: { originalMaxAge: null }, ...data } as never, resolve))

  test('is one object, follows what others write, and keeps that when it is saved', async () => {
    const { app, client, socket, id } = await saved()
    const held = heldBy(socket)
    await write(app, id, { seen: 1, user: 'ann' })
    expect(await ask(client, 'get', 'user')).toBe('ann')
    await write(app, id, { seen: 1, user: 'bob' })
    await ask(client, 'set', 'count', 2)
    await ask(client, 'save')
    expect(await stored(app, id)).toMatchObject({ seen: 1, user: 'bob', count: 2 })
    expect(heldBy(socket)).toBe(held)
    await new Promise((resolve) => held.reload(resolve))
    expect(held).toMatchObject({ user: 'bob' })
  })

  test('ends with its socket when it is destroyed, and is not saved again', async () => {
    const { app, socket, id } = await saved()
    const left = next(socket, 'disconnect')
    app.store.destroy(id)
    await left
    heldBy(socket)['count'] = 3
    const error = await new Promise((resolve) => heldBy(socket).save(resolve))
    expect(error).toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
    expect(await stored(app, id)).toBeFalsy()
  })

  test('before that, reload() is an error, and destroy() closes the socket', async () => {
    const app = await start(ours)
    const { socket } = await join(app)
    const error = await new Promise((resolve) => heldBy(socket).reload(resolve))
    expect(error).toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
    const left = next(socket, 'disconnect')
    heldBy(socket).destroy(() => {})
    await left
    const failure = await new Promise((resolve) => heldBy(socket).save(resolve))
    expect(failure).toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
  })

  test('a store that fails: told to save(), and the next try counts', async () => {
    const app = await start(ours)
    const { socket } = await join(app)
    const set = vi.spyOn(app.store, 'set').mockImplementation((_id, _data, done) => done?.(new Error('down')))
    heldBy(socket)['count'] = 1
    const error = await new Promise((resolve) => heldBy(socket).save(resolve))
    expect(error).toMatchObject({ code: 'ERR_SESSION_STORE' })
    set.mockRestore()
    await new Promise((resolve) => heldBy(socket).save(resolve))
    expect(await stored(app, heldBy(socket).id)).toMatchObject({ count: 1 })
  })
})

describe('a new session of ours', () => {
  /** A visitor whose session was saved. */
  async function saved() {
    const store = new CountingStore()
    const app = await start(ours, {}, store)
    const { client, socket } = await join(app)
    const session = heldBy(socket)
    session['seen'] = 1
    await new Promise((resolve) => session.save(resolve))
    return { app, store, client, socket, session, save: () => new Promise((resolve) => session.save(resolve)) }
  }

  test('once stored, is written by key, and only when it was changed', async () => {
    const { app, store, session, save } = await saved()
    const record = { cookie: { originalMaxAge: null }, seen: 1, other: 'new' }
    await new Promise((resolve) => otherProgram(app.store).set(session.id, record as never, resolve))
    session['count'] = 2
    await save()
    expect(await stored(app, session.id)).toMatchObject({ seen: 1, other: 'new', count: 2 })
    store.reset()
    await save()
    expect(store.calls.set).toBe(0)
  })

  test('a reload before it was saved says so, and leaves it as it is', async () => {
    const app = await start(ours)
    const { socket } = await join(app)
    const session = heldBy(socket)
    session['seen'] = 1
    const error = await new Promise((resolve) => session.reload(resolve))
    expect(error).toMatchObject({ code: 'ERR_SESSION_NOT_FOUND', message: expect.stringContaining('never saved') })
    expect(await new Promise((resolve) => session.save(resolve))).toBeFalsy()
    expect(await stored(app, session.id)).toMatchObject({ seen: 1 })
  })

  test.each(['before', 'after'])('is let go of when its client leaves %s it is saved', async (when) => {
    const app = await start(ours)
    const registry = SessionRegistry.join(app.store)
    onTestFinished(() => registry.leave())
    const { client, socket } = await join(app)
    const session = heldBy(socket)
    const closed = once(socket.conn as never, 'close')
    const leave = () => {
      client.disconnect()
      return closed
    }
    if (when === 'before') await leave()
    session['seen'] = 1
    await new Promise((resolve) => session.save(resolve))
    expect(registry.at(session.id).isHeld).toBe(when === 'after')
    if (when === 'after') await leave()
    expect(registry.at(session.id).isHeld).toBe(false)
  })

  test('beyond the path of its cookie there is none, as for requests', async () => {
    const app = await startBare({ session: { cookie: { path: '/app' } } })
    app.io.use(ours(app.middleware))
    const { socket } = await join(app)
    expect(heldBy(socket)).toBeUndefined()
  })

  test('where session() fails to make one: refused, and a warning', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warned.mockRestore())
    const genid = () => {
      throw new Error('no ids today')
    }
    const app = await startBare({ session: { genid } })
    app.io.use(ours(app.middleware))
    expect(await fateOf(connect(app.url))).toBe('ERR_SESSION_STORE')
    expect(warned).toHaveBeenCalled()
  })

  test('what JSON cannot hold, in the session of a visitor, is told, and ends no process', async () => {
    const app = await start(ours, { autoSave: true })
    const warned = once(process, 'warning')
    const { client, socket } = await join(app)
    const session = heldBy(socket)
    session['draft'] = 1n
    expect(await ask(client, 'get', 'user')).toBeNull()
    expect((await warned)[0]).toMatchObject({ message: expect.stringContaining('BigInt') })
    delete session['draft']
    expect(await ask(client, 'save')).toBe('saved')
    session['draft'] = 1n
    await new Promise((kept) => app.store.set(session.id, { cookie: session.cookie, user: 'ann' } as never, kept))
    expect(await ask(client, 'get', 'user')).toBe('ann')
  })

  test('autoSave of a session that is over is no warning', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warned.mockRestore())
    const app = await start(ours, { autoSave: true })
    const cookie = await app.login()
    const { socket } = await join(app, cookie)
    const left = next(socket, 'disconnect')
    socket.on('disconnect', () => {
      heldBy(socket)['late'] = true
    })
    await app.get('/logout', cookie)
    await left
    for (let turns = 0; turns < 20; turns++) await turn()
    expect(warned).not.toHaveBeenCalled()
  })

  test('one for all namespaces: the connection has no more listeners for each', async () => {
    const app = await start(ours)
    for (const name of ['/a', '/b']) app.io.of(name).use(ours(app.middleware))
    const connection = next<ServerSocket>(app.io, 'connection')
    const client = connect(app.url, await app.login(), { transports: ['websocket'] })
    const { conn } = await connection
    const before = conn.listenerCount('close')
    for (const name of ['/a', '/b']) await next(client.io.socket(name), 'connect')
    expect(conn.listenerCount('close')).toBe(before)
  })
})

describe('autoSave leaves the listeners as they are', () => {
  test('off, once and listeners', async () => {
    const app = await start(ours, { autoSave: true })
    const { client, socket } = await join(app, await app.login())
    const [always, never, once] = [vi.fn(), vi.fn(), vi.fn()]
    socket.on('tell', always).on('tell', never).once('tell', once).off('tell', never)
    socket.once('gone', never).off('gone', never)
    expect(socket.listeners('tell')).toEqual([always, once])
    expect(socket.listeners('gone')).toEqual([])
    client.emit('tell', 1)
    client.emit('tell', 2)
    await ask(client, 'get', 'user')
    expect(always.mock.calls).toEqual([[1], [2]])
    expect(once.mock.calls).toEqual([[1]])
    expect(never).not.toHaveBeenCalled()
    expect(socket.listeners('tell')).toEqual([always])
    expect(() => socket.on('tell', undefined as never)).toThrow(TypeError)
  })

  test('what is changed when the client leaves is saved, also after an await', async () => {
    const app = await start(ours, { autoSave: true })
    const cookie = await app.login()
    const { client, socket } = await join(app, cookie)
    socket.on('disconnect', async () => {
      heldBy(socket)['left'] = true
      await turn()
      heldBy(socket)['late'] = true
    })
    client.disconnect()
    expect(await written(app, idOf(cookie), 'late')).toMatchObject({ user: 'ann', left: true, late: true })
  })
})

describe('who is not let in', () => {
  test('anybody, while the store fails: the original lets in without a session', async () => {
    const fateBy = async (make: Make) => {
      const app = await start(make)
      const cookie = await app.login()
      vi.spyOn(app.store, 'get').mockImplementation((_id, done) => done(new Error('down')))
      return fateOf(connect(app.url, cookie))
    }
    expect(await fateBy(original)).toBe('in')
    expect(await fateBy(ours)).toBe('ERR_SESSION_STORE')
  })

  test('a page of another site has no part of the session', async () => {
    const app = await start(ours)
    const connection = next<ServerSocket>(app.io, 'connection')
    const cookie = await app.login()
    connect(app.url, undefined, { extraHeaders: { cookie, origin: 'https://evil.example' } })
    expect(heldBy(await connection)).not.toHaveProperty('user')
    expect(heldBy(await connection).id).not.toBe(idOf(cookie))
  })

  test.each([
    ['nothing', []],
    ['options of session()', [{ secret: 'keyboard cat' }]],
    ['another function', [() => {}]],
    ['a parser that is none', [session({ secret: 'a', resave: false, saveUninitialized: false }), 'parser']],
    ['options that are none', [session({ secret: 'a', resave: false, saveUninitialized: false }), undefined, 7]],
    ['autoSave that is none', [session({ secret: 'a', resave: false, saveUninitialized: false }), { autoSave: 1 }]],
  ])('%s is an error at once', (_, args) => {
    expect(() => ours(...args)).toThrow(SessionError)
    expect(() => ours(...args)).toThrow(
      args.length > 0 ? 'expected' : 'express-socket.io-session: expected the function',
    )
  })
})
