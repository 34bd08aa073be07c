/** What a hostile review of the shims found, each as it was shown. */

import type session from 'express-session'
import sessionIO from 'handshake-session/compat/session.io'
import { expect, test } from 'vitest'
import { ask, connect, idOf, next, secret, startApp } from '../support/app.js'
import { later } from '../support/later.js'
import { otherProgram } from '../support/other-program.js'
import { handshakeWith, signedCookie, storeWithAnn, verdictsOf } from './handshakes.js'
import { listen } from './old-server.js'
import { startZappaApp } from './zappajs-apps.js'

test('zappajs: an unbound socket that destroys its session goes on with a new one', async () => {
  const app = await startZappaApp()
  app.zappa.on('logout', function (this: { session: session.Session }, _data: unknown, ack: (word: string) => void) {
    this.session.destroy(() => ack('bye'))
  } as never)
  app.zappa.on('hi', function (this: { session?: unknown }, _data: unknown, ack: (word: string) => void) {
    ack(this.session ? 'hi' : 'who?')
  } as never)
  const client = connect(app.url)
  await next(client, 'connect')
  expect(await ask(client, 'logout', {})).toBe('bye')
  expect(await ask(client, 'hi', {})).toBe('hi')
})

test('socket.io: an origins function of 2.x is asked with * for a request without Origin, and may throw', async () => {
  const asked: unknown[] = []
  const { io, url } = await listen()
  io.set('origins', (origin: string, answer: (error: null, allowed: boolean) => void) => {
    asked.push(origin)
    if (origin !== '*') throw new Error('of the app')
    answer(null, true)
  })
  const get = (headers: Record<string, string>) => fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers })
  expect((await get({})).status).toBe(200)
  await get({ origin: 'https://a.example' })
  expect((await get({})).status).toBe(200)
  expect(asked).toContain('*')
})

test('session.io: a live session that another program destroyed is not believed for long', async () => {
  const store = storeWithAnn()
  const authorize = sessionIO(
    ((handshake: { headers: { cookie: string }; signedCookies: object }, _res: unknown, done: () => void) => {
      Object.assign(handshake, { secret, signedCookies: { 'connect.sid': 'ann-id' } })
      done()
    }) as never,
    store,
  )
  expect(await verdictsOf(authorize as never, handshakeWith(signedCookie()))).toEqual([[null, true]])
  await new Promise((done) => otherProgram(store).destroy('ann-id', done))
  later(5_000)
  expect(await verdictsOf(authorize as never, handshakeWith(signedCookie()))).toEqual([[null, false]])
})

test('socket.io: a script of another site (JSONP without Origin, Referer or Sec-Fetch-Site) is refused', async () => {
  const { io, url } = await listen()
  io.set('authorization', (_handshake: unknown, answer: (error: null, yes: boolean) => void) => answer(null, true))
  io.sockets.on('connection', () => expect.unreachable('connection'))
  const poll = async (query: string) => (await fetch(`${url}/socket.io/?EIO=3&transport=polling&${query}`)).text()
  const sid = /\\"sid\\":\\"([^\\]+)/.exec(await poll('j=0'))?.[1]
  expect(await poll(`j=1&sid=${sid}`)).toContain('handshake bad origin')
})

test('socket.io: what one namespace was asked for with is not what another has as auth', async () => {
  const { io, url } = await listen()
  io.on('connection', (socket) => {
    socket.on('who', (answer: (user: unknown) => void) => answer(socket.handshake.auth['user']))
  })
  io.of('/chat')
  io.of('/news')
  const client = connect(url, undefined, { auth: { user: 'bob' } })
  await next(client, 'connect')
  const chat = client.io.socket('/chat', { auth: { user: 'admin' } }).connect()
  expect(await next(chat, 'connect_error')).toMatchObject({ message: expect.stringContaining('auth differs') })
  await next(client.io.socket('/news', { auth: { user: 'bob' } }).connect(), 'connect')
  expect(await ask(client, 'who')).toBe('bob')
})

test('socket.io: authorization of a dynamic namespace covers the children that are there', async () => {
  const { io, url } = await listen()
  const dynamic = io.of(/^\/d/)
  await next(connect(`${url}/d1`), 'connect')
  dynamic.authorization((_handshake: unknown, answer: (error: null, yes: boolean) => void) => answer(null, false))
  for (const name of ['/d1', '/d2']) {
    expect(await next(connect(url + name), 'connect_error')).toMatchObject({ message: 'unauthorized' })
  }
})

test('zappajs: only a key document is a key, and an onError that throws ends nothing', async () => {
  const app = await startZappaApp({
    onError: () => {
      throw new Error('from onError')
    },
  })
  app.zappa.on('fail', () => JSON.parse('{'))
  const id = idOf(await app.login('ann'))
  const records = [
    { id, cookie: { originalMaxAge: null }, user: 'eve' },
    { id: 7, cookie: {} },
    { id: { toString: () => id }, cookie: {} },
    { id: 'a-session', cookie: {} },
    { id: 'a-session', user: 'eve' },
  ]
  await new Promise((done) => app.store.set('7', { cookie: { originalMaxAge: null } } as never, done))
  const client = connect(app.url)
  await next(client, 'connect')
  client.emit('fail', {})
  for (const record of records) {
    await new Promise((done) => app.store.set('a-session', record as never, done))
    expect(await ask(client, '__zappa_key', { key: 'a-session' })).toEqual({ error: 'Missing data' })
  }
})

test('socket.io-sessions: a signed id whose session is gone is invalid', async () => {
  const sessions = await import('handshake-session/compat/socket.io-sessions')
  const app = await startApp({ attach: false })
  sessions.enable({ socket: app.io, store: app.store, secret } as never)
  const cookie = await app.login()
  const sid = decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1))
  const shake = async () => {
    const client = connect(app.url)
    await next(client, 'connect')
    const fate = Promise.race([
      next(app.io.sockets as never, 'sconnection').then(() => 'sconnection'),
      next(app.io.sockets as never, 'sinvalid').then(() => 'sinvalid'),
    ])
    client.emit('connect_with_session', { __sid: sid })
    return fate
  }
  expect(await shake()).toBe('sconnection')
  await new Promise((done) => otherProgram(app.store).destroy(idOf(cookie), done))
  expect(await shake()).toBe('sinvalid')
})
