/**
 * passport.socketio: the same app with the original and with ours. Who had a user has one; who was refused is refused; who
 * outlived a logout is closed.
 */
import { createRequire } from 'node:module'
import cookieParser from 'cookie-parser'
import session from 'express-session'
import { SessionError } from 'handshake-session'
import * as passportSocketIo from 'handshake-session/compat/passport.socketio'
import type { Server, Socket as ServerSocket } from 'socket.io'
import request from 'supertest'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type App, connect, cookieOf, idOf, next, secret } from '../support/app.js'
import { signedCookie } from './handshakes.js'
import { fate, listen } from './old-server.js'
import { comesBack, fateOf, type Middleware, startBare, stored } from './shared-session.js'

interface Module {
  authorize(options: unknown): Middleware
  filterSocketsByUser(io: Server, filter: (user: User | undefined) => boolean): ServerSocket[]
}
interface User {
  name?: string
  logged_in: boolean
}
type Accept = (error?: unknown, accepted?: boolean) => void

const require = createRequire(import.meta.url)
const original = require('passport.socketio') as Module
const ours = passportSocketIo as unknown as Module
const userOf = (socket: ServerSocket) => (socket.request as { user?: User }).user

type Done = (error: unknown, user?: unknown) => void
const { Passport } = require('passport') as {
  Passport: new () => { deserializeUser(find: (name: string, done: Done) => void): void }
}
const passport = new Passport()
passport.deserializeUser((name, done) => {
  if (name === 'broken') done(new Error('no users today'))
  else done(null, name === 'gone' ? false : { name })
})

async function start({ authorize }: Module, options: object = {}): Promise<App> {
  const app = await startBare()
  app.express.get('/passport/:user', (req, res) => {
    req.session['passport'] = { user: req.params.user }
    res.end()
  })
  app.express.get('/logout-05', (req, res) => {
    req.session['passport'] = {}
    res.end()
  })
  app.io.use(authorize({ cookieParser, key: 'connect.sid', secret, store: app.store, passport, ...options }))
  return app
}

async function logIn(app: App, name: string): Promise<string> {
  return cookieOf(await request(app.url).get(`/passport/${name}`).expect(200))
}

async function join(app: App, cookie?: string) {
  const connection = next<ServerSocket>(app.io, 'connection')
  const client = connect(app.url, cookie)
  await next(client, 'connect')
  return { client, socket: await connection }
}

describe.each([
  ['passport.socketio 3.7.0', original],
  ['ours', ours],
])('kept, by %s', (_, module) => {
  test('the user on the request, before connection', async () => {
    const app = await start(module)
    const { socket } = await join(app, await logIn(app, 'ann'))
    expect(userOf(socket)).toEqual({ name: 'ann', logged_in: true })
  })

  test('userProperty, sessionID and cookie; success decides', async () => {
    const success = vi.fn((data: { member: User }, accept: Accept) =>
      data.member.name === 'ann' ? accept() : accept(new Error('not you')),
    )
    const app = await start(module, { userProperty: 'member', success })
    const cookie = await logIn(app, 'ann')
    const { socket } = await join(app, cookie)
    expect(socket.request).toMatchObject({
      member: { name: 'ann', logged_in: true },
      sessionID: idOf(cookie),
      cookie: { 'connect.sid': idOf(cookie) },
    })
    expect(await fateOf(connect(app.url, await logIn(app, 'bob')))).toBe('not you')
  })

  test.each([
    ['without a cookie', async () => undefined, 'No session found', false],
    ['with a forged cookie', async () => signedCookie('ann-id', undefined, 'guessed'), 'No session found', false],
    ['with a cookie of no session', async () => signedCookie('nobody', undefined, secret), 'No session found', false],
    ['with a session that Passport never saw', (app: App) => app.login(), 'Passport was not initialized', true],
    ['whose user is gone', (app: App) => logIn(app, 'gone'), 'User not found', false],
  ])('%s: refused, and fail is told', async (_case, cookieIn, message, critical) => {
    const fail = vi.fn((_data, told: string, _critical, accept: Accept) => accept(new Error(told)))
    const app = await start(module, { fail })
    expect(await fateOf(connect(app.url, await cookieIn(app)))).toBe(message)
    expect(fail.mock.calls).toEqual([
      [expect.objectContaining({ user: { logged_in: false } }), message, critical, expect.anything()],
    ])
    const plain = await start(module)
    expect(await fateOf(connect(plain.url, await cookieIn(plain)))).toBe(message)
  })

  test('logged out, by Passport 0.5: refused', async () => {
    const app = await start(module)
    const cookie = await logIn(app, 'ann')
    await request(app.url).get('/logout-05').set('cookie', cookie).expect(200)
    const message = 'User not authorized through passport. (User Property not found)'
    expect(await fateOf(connect(app.url, cookie))).toBe(message)
  })

  test('a store or a Passport that fails: refused, critical', async () => {
    const fail = vi.fn((_data, _message, critical: boolean, accept: Accept) => accept(new Error(String(critical))))
    const app = await start(module, { fail })
    expect(await fateOf(connect(app.url, await logIn(app, 'broken')))).toBe('true')
    const cookie = await logIn(app, 'ann')
    vi.spyOn(app.store, 'get').mockImplementation((_id, done) => done(new Error('down')))
    expect(await fateOf(connect(app.url, cookie))).toBe('true')
    expect(fail.mock.lastCall?.[1]).toBe('Error in session store:\ndown')
  })

  test('whom fail lets in has no user', async () => {
    const app = await start(module, { fail: (_data: object, _m: string, _c: boolean, accept: Accept) => accept() })
    const { socket } = await join(app)
    expect(userOf(socket)).toEqual({ logged_in: false })
  })
})

describe('mended', () => {
  test.each([
    ['a logout that destroys the session', '/logout'],
    ['a logout that regenerates it, by Passport 0.6', '/regenerate'],
    ['a logout that only forgets the user, by Passport 0.5', '/logout-05'],
    ['somebody else who logs in', '/passport/bob'],
  ])('%s closes the socket', async (_, path) => {
    const fateBy = async (module: Module) => {
      const app = await start(module)
      app.io.on('connection', (socket) => socket.on('hello', (answer) => answer()))
      const cookie = await logIn(app, 'ann')
      const { client, socket } = await join(app, cookie)
      const left = next(socket, 'disconnect').then(() => 'closed')
      await request(app.url).get(path).set('cookie', cookie).expect(200)
      const stays = new Promise((resolve) => client.emit('hello', () => resolve('open')))
      return Promise.race([left, stays])
    }
    expect(await fateBy(original)).toBe('open')
    expect(await fateBy(ours)).toBe('closed')
  })

  test('filterSocketsByUser, which Socket.IO 1.4 broke', async () => {
    const found = async (module: Module) => {
      const app = await start(module, {
        fail: (_data: object, _m: string, _c: boolean, accept: Accept) => accept(),
      })
      const ann = await join(app, await logIn(app, 'ann'))
      await join(app, await logIn(app, 'bob'))
      await join(app)
      const sockets = module.filterSocketsByUser(app.io, (user) => user?.name === 'ann')
      return sockets.map(({ id }) => id === ann.socket.id)
    }
    expect(await found(original)).toEqual([])
    expect(await found(ours)).toEqual([true])
  })

  test('accept(null, false), of 0.9, refuses with io.use as well', async () => {
    const fail = (_data: object, _m: string, _c: boolean, accept: Accept) => accept(null, false)
    const fateBy = async (module: Module) => fateOf(connect((await start(module, { fail })).url))
    expect(await fateBy(original)).toBe('in')
    expect(await fateBy(ours)).toBe('not authorized')
  })

  test('a fail that throws refuses, and ends no process', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const fail = () => {
      throw new Error('critical')
    }
    const app = await start(ours, { fail })
    expect(await fateOf(connect(app.url))).toBe('not authorized')
    expect(warned).toHaveBeenCalledWith(expect.objectContaining({ message: 'critical' }))
    warned.mockRestore()
  })

  test('an id in the query is no session', async () => {
    const fateBy = async (module: Module) => {
      const app = await start(module)
      const cookie = await logIn(app, 'ann')
      return fateOf(connect(app.url, undefined, { query: { session_id: idOf(cookie) } }))
    }
    expect(await fateBy(original)).toBe('in')
    expect(await fateBy(ours)).toBe('No session found')
  })

  test('a logout in the middle of it: not let in', async () => {
    const app = await start(ours)
    const cookie = await logIn(app, 'ann')
    app.io.use((_socket, next) => app.store.destroy(idOf(cookie), () => next()))
    const client = connect(app.url, cookie)
    expect(await next(client.io as never, 'close')).toBe('transport close')
    expect(await stored(app, idOf(cookie))).toBeFalsy()
  })

  test("whom fail lets in is given back a lost connection, if it was nobody's", async () => {
    const app = await startBare({ io: { connectionStateRecovery: {} } })
    const fail = (_data: object, _m: string, _c: boolean, accept: Accept) => accept()
    app.io.use(ours.authorize({ secret, store: app.store, passport, fail }))
    expect(await comesBack(app)).toBe(true)
  })

  test('a request that takes no user: refused', async () => {
    const app = await startBare()
    app.io.use(({ request }, next) => {
      Object.defineProperty(request, 'user', { get: () => undefined })
      next()
    })
    const fail = (_data: object, _m: string, _c: boolean, accept: Accept) => accept()
    app.io.use(ours.authorize({ secret, store: app.store, passport, fail }))
    expect(await fateOf(connect(app.url))).toBe('not authorized')
  })

  test('who is refused is no warning', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warned.mockRestore())
    const app = await start(ours)
    for (const cookie of [undefined, await app.login()]) await fateOf(connect(app.url, cookie))
    expect(warned).not.toHaveBeenCalled()
  })

  const store = new session.MemoryStore()
  test.each([
    ['nothing', undefined],
    ['no store', { secret, passport }],
    ['no secret', { store, passport }],
    ['a parser where its maker belongs', { store, secret, passport, cookieParser: cookieParser(secret) }],
    ['no Passport', { store, secret, passport: {} }],
    ['success that is none', { store, secret, passport, success: true }],
    ['fail that is none', { store, secret, passport, fail: true }],
    ['a key that is none', { store, secret, passport, key: 7 }],
    ['a userProperty that is none', { store, secret, passport, userProperty: '' }],
  ])('%s is an error at once', (_, options) => {
    expect(() => ours.authorize(options)).toThrow(SessionError)
    if (Object(options).cookieParser) expect(() => ours.authorize(options)).toThrow('a function that makes the parser')
  })
})

describe("io.set('authorization')", () => {
  async function startOld() {
    const app = await start(ours)
    const { io, url } = await listen()
    const options = { secret, store: app.store, passport } as unknown as passportSocketIo.Options
    io.set('authorization', passportSocketIo.authorize(options))
    return { app, io, url }
  }

  test('the user on the handshake; a logout closes the socket', async () => {
    const { app, io, url } = await startOld()
    const connection = next<ServerSocket>(io.sockets, 'connection')
    const cookie = await logIn(app, 'ann')
    connect(url, cookie)
    const socket = await connection
    expect(socket.handshake).toMatchObject({ user: { name: 'ann', logged_in: true } })
    const left = next(socket, 'disconnect')
    await app.get('/regenerate', cookie)
    await left
  })

  test('nobody else', async () => {
    const { app, url } = await startOld()
    expect(await fate(connect(url))).toBe('handshake unauthorized')
    expect(await fate(connect(url, await app.login()))).toBe('handshake unauthorized')
  })
})
