/**
 * session.socket.io: the same app with the original and with ours. What worked works; what was stale is fresh, what was lost is
 * kept, what outlived a logout is closed.
 */
import { createRequire } from 'node:module'
import cookieParser from 'cookie-parser'
import session from 'express-session'
import { SessionError } from 'handshake-session'
import SessionSockets from 'handshake-session/compat/session.socket.io'
import { Server, type Socket as ServerSocket } from 'socket.io'
import { describe, expect, test, vi } from 'vitest'
import { type App, ask, connect, idOf, next, secret } from '../support/app.js'
import { signedCookie } from './handshakes.js'
import { comesBack, type Held, heldBy, startBare, stored } from './shared-session.js'

type Told = [error: Error | null, socket: ServerSocket, session: Held | undefined]
interface Sockets {
  io: unknown
  on(event: string, listener: (...told: Told) => void): unknown
  of(name: string): { on(event: string, listener: (...told: Told) => void): unknown }
  getSession(socket: unknown, callback: (error: Error | null, session?: Held, socket?: unknown) => void): void
}
type Make = new (...args: unknown[]) => Sockets

const require = createRequire(import.meta.url)
const original = require('session.socket.io') as Make
const ours = SessionSockets as unknown as Make
const parser = cookieParser(secret)

async function start(Make: Make, key?: string) {
  const app = await startBare(key === undefined ? {} : { name: key })
  const sockets = new Make(app.io, app.store, parser, key)
  return { app, sockets }
}

/** What the listener is told of the next client. */
function told(sockets: Pick<Sockets, 'on'>): Promise<Told> {
  return new Promise((resolve) => sockets.on('connection', (...args) => resolve(args)))
}

function getSession(sockets: Sockets, socket: unknown): Promise<[Error | null, Held | undefined, unknown]> {
  return new Promise((resolve) => sockets.getSession(socket, (...args) => resolve(args as never)))
}

async function join(app: App, sockets: Sockets, cookie?: string) {
  const telling = told(sockets)
  const client = connect(app.url, cookie)
  const [[error, socket, held]] = await Promise.all([telling, next(client, 'connect')])
  return { client, socket, error, held: held as Held }
}

describe.each([
  ['session.socket.io 0.2.1', original],
  ['ours', ours],
])('kept, by %s', (_, Make) => {
  test('the session of the cookie, the io, and the cookies on the handshake', async () => {
    const { app, sockets } = await start(Make)
    const cookie = await app.login()
    const { error, socket, held } = await join(app, sockets, cookie)
    expect(error).toBeNull()
    expect(held).toBeInstanceOf(session.Session)
    expect(held.user).toBe('ann')
    expect(sockets.io).toBe(app.io)
    expect(socket.handshake).toMatchObject({ signedCookies: { 'connect.sid': idOf(cookie) } })
  })

  test('save() reaches HTTP', async () => {
    const { app, sockets } = await start(Make)
    const cookie = await app.login()
    const { held } = await join(app, sockets, cookie)
    held.count = 7
    await new Promise((resolve) => held.save(resolve))
    expect(await app.get('/session', cookie)).toMatchObject({ user: 'ann', count: 7 })
  })

  test('a key, and a namespace', async () => {
    const { app, sockets } = await start(Make, 'sid')
    const telling = told(sockets.of('/chat'))
    connect(`${app.url}/chat`, await app.login())
    const [error, socket, held] = await telling
    expect([error, socket.nsp.name, held?.user]).toEqual([null, '/chat', 'ann'])
  })

  test.each([
    ['no cookie', undefined],
    ['a forged cookie', signedCookie('ann-id', undefined, 'guessed')],
    ['a cookie of no session', signedCookie('nobody', undefined, secret)],
  ])('a stranger with %s connects, with an error', async (_case, cookie) => {
    const { app, sockets } = await start(Make)
    const { error, held, client } = await join(app, sockets, cookie)
    expect(error).toMatchObject({ message: 'Could not lookup session by key: connect.sid' })
    expect(held ?? undefined).toBeUndefined()
    expect(client.connected).toBe(true)
  })

  test('an error of the store is told to the listener', async () => {
    const { app, sockets } = await start(Make)
    const cookie = await app.login()
    vi.spyOn(app.store, 'get').mockImplementation((_id, done) => done(new Error('down')))
    const { error, held } = await join(app, sockets, cookie)
    expect(error).toMatchObject({ message: 'down' })
    expect(held).toBeUndefined()
  })

  test('getSession: of a socket that has one, and of one that has none', async () => {
    const { app, sockets } = await start(Make)
    const { socket } = await join(app, sockets, await app.login())
    const [error, held, same] = await getSession(sockets, socket)
    expect([error, held?.user, same === socket]).toEqual([null, 'ann', true])
    const stranger = await join(app, sockets)
    expect((await getSession(sockets, stranger.socket))[0]).toMatchObject({
      message: 'Could not lookup session by key: connect.sid',
    })
  })
})

describe('mended', () => {
  test('what HTTP writes is there, and is kept', async () => {
    const seenBy = async (Make: Make) => {
      const { app, sockets } = await start(Make)
      const cookie = await app.login()
      const { held } = await join(app, sockets, cookie)
      await app.get('/set/theme/dark', cookie)
      const seen = held['theme']
      held.count = 7
      await new Promise((resolve) => held.save(resolve))
      return [seen, await app.get('/session', cookie)]
    }
    expect(await seenBy(original)).toEqual([undefined, expect.not.objectContaining({ theme: 'dark' })])
    expect(await seenBy(ours)).toEqual(['dark', expect.objectContaining({ theme: 'dark', count: 7 })])
  })

  test('a logout closes the socket, in any namespace, and no save brings the session back', async () => {
    const fateBy = async (Make: Make) => {
      const { app, sockets } = await start(Make)
      const cookie = await app.login()
      const telling = told(sockets.of('/chat'))
      const client = connect(`${app.url}/chat`, cookie)
      const [, socket, held] = await telling
      socket.on('hello', (answer) => answer())
      const left = next(socket, 'disconnect').then(() => 'closed')
      await app.get('/logout', cookie)
      const fate = await Promise.race([left, ask(client, 'hello').then(() => 'open')])
      await new Promise((resolve) => held?.save(resolve))
      return [fate, Boolean(await stored(app, idOf(cookie)))]
    }
    expect(await fateBy(original)).toEqual(['open', true])
    expect(await fateBy(ours)).toEqual(['closed', false])
  })

  test('the listener gets the session while the socket connects: no event of the client is lost', async () => {
    const seenBy = async (Make: Make) => {
      const { app, sockets } = await start(Make)
      let isThere = false
      sockets.on('connection', () => {
        isThere = true
      })
      const cookie = await app.login()
      const connection = next<ServerSocket>(app.io, 'connection').then(() => isThere)
      connect(app.url, cookie)
      return connection
    }
    expect(await seenBy(original)).toBe(false)
    expect(await seenBy(ours)).toBe(true)
  })

  test('an id that nobody has signed is no session', async () => {
    const seenBy = async (Make: Make) => {
      const { app, sockets } = await start(Make)
      const cookie = await app.login()
      return (await join(app, sockets, `connect.sid=${encodeURIComponent(idOf(cookie))}`)).held?.user
    }
    expect(await seenBy(original)).toBe('ann')
    expect(await seenBy(ours)).toBeUndefined()
  })

  test('a page of another site has no session', async () => {
    const { app, sockets } = await start(ours)
    const telling = told(sockets)
    connect(app.url, undefined, { extraHeaders: { cookie: await app.login(), origin: 'https://evil.example' } })
    const [error, , held] = await telling
    expect([error?.message, held]).toEqual(['Could not lookup session by key: connect.sid', undefined])
  })

  test('a parser that knows older secrets', async () => {
    const app = await startBare({ secret: ['new', 'old'] })
    const sockets = new ours(app.io, app.store, cookieParser(['new', 'old']))
    const cookie = await app.login()
    const old = signedCookie(idOf(cookie), undefined, 'old')
    expect(await join(app, sockets, old)).toMatchObject({ error: null, held: { user: 'ann' } })
  })

  test('getSession of what is no socket is an error', async () => {
    const { sockets } = await start(ours)
    for (const socket of [undefined, {}, { handshake: 'invalid' }]) {
      expect((await getSession(sockets, socket))[0]).toBeInstanceOf(SessionError)
    }
  })

  test('destroyed while it connects: the connection is closed', async () => {
    const { app } = await start(ours)
    app.io.use((socket, next) => app.store.destroy(heldBy(socket).id, () => next()))
    const client = connect(app.url, await app.login())
    expect(await next(client.io as never, 'close')).toBe('transport close')
    expect(client.connected).toBe(false)
  })

  test('a lost connection is given back to whoever had no session, and has none', async () => {
    const app = await startBare({ io: { connectionStateRecovery: {} } })
    new ours(app.io, app.store, parser)
    expect(await comesBack(app)).toBe(true)
    const cookie = await app.login()
    vi.spyOn(app.store, 'get').mockImplementation((_id, done) => done(new Error('down')))
    expect(await comesBack(app, cookie)).toBe(true)
  })

  const io = new Server()
  const store = new session.MemoryStore()
  const rejects = (_request: never, _response: never, next: () => void) => {
    next()
    return Promise.reject(new Error('no'))
  }
  const fails = (_request: never, _response: never, next: (error: Error) => void) => next(new Error('no'))
  test('a parser that rejects after it has answered ends no process', async () => {
    expect(() => new ours(io, store, rejects)).not.toThrow()
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  })

  test.each([
    ['no server', [{}, store, parser]],
    ['no store', [io, undefined, parser]],
    ['a store that is none', [io, { get() {} }, parser]],
    ['no parser', [io, store]],
    ['a parser without a secret', [io, store, cookieParser()]],
    ['a parser that never answers', [io, store, () => {}]],
    ['a parser that fails', [io, store, fails]],
    ['an empty key', [io, store, parser, '']],
    [
      'a parser that throws',
      [
        io,
        store,
        () => {
          throw new Error('no')
        },
      ],
    ],
    ['a key that is none', [io, store, parser, 7]],
  ])('%s is an error at once, which names it', (what, args) => {
    const named = /server/.test(what) ? 'io' : /store/.test(what) ? 'store' : /key/.test(what) ? 'key' : 'cookieParser'
    expect(() => new ours(...args)).toThrow(SessionError)
    expect(() => new ours(...args)).toThrow(`session.socket.io: ${named}: expected`)
  })
})
