/** The shims of the last ten years together on one server, and beside `attach(io)`: one session object, and nobody gets in by that. */
import cookieParser from 'cookie-parser'
import { handshakeSession } from 'handshake-session'
import sharedSession from 'handshake-session/compat/express-socket.io-session'
import * as passportSocketIo from 'handshake-session/compat/passport.socketio'
import SessionSockets from 'handshake-session/compat/session.socket.io'
import ios from 'handshake-session/compat/socket.io-express-session'
import type { Socket as ServerSocket } from 'socket.io'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type App, ask, connect, idOf, next, secret } from '../support/app.js'
import { fateOf, type Held, heldBy, join, serve, startBare, stored, written } from './shared-session.js'

async function start(): Promise<App> {
  const app = await startBare()
  app.io.on('connection', serve)
  return app
}

function attach(app: App): void {
  const sessions = handshakeSession(app.middleware, { onError: () => {} }).attach(app.io)
  onTestFinished(() => sessions.close())
}

const share = (app: App) => app.io.use(sharedSession(app.middleware, { autoSave: true }))

describe.each([
  ['before', (app: App) => [attach(app), share(app)]],
  ['after', (app: App) => [share(app), attach(app)]],
])('attach(io) %s express-socket.io-session', (_, add) => {
  test('one session, which autoSave saves; no stranger', async () => {
    const app = await start()
    add(app)
    const cookie = await app.login()
    const { client, socket } = await join(app, cookie)
    expect(heldBy(socket)).toBe((socket.request as unknown as { session: Held }).session)
    client.emit('set', 'count', 1)
    expect(await written(app, idOf(cookie), 'count')).toMatchObject({ user: 'ann', count: 1 })
    expect(await fateOf(connect(app.url))).toBe('ERR_SESSION_COOKIE_MISSING')
  })
})

test('both functions for io.use: a visitor has one new session', async () => {
  const app = await start()
  const seen: Held[] = []
  const see = (socket: ServerSocket, next: () => void) => {
    seen.push(heldBy(socket))
    next()
  }
  app.io.use(ios(app.middleware)).use(see)
  share(app).use(see)
  const { client, socket } = await join(app)
  expect(seen[0]).toBe(seen[1])
  client.emit('set', 'seen', true)
  expect(await written(app, heldBy(socket).id, 'seen')).toMatchObject({ seen: true })
})

test('session.socket.io beside it: an error for visitors, whatever their new session', async () => {
  const app = await start()
  share(app)
  const sockets = new SessionSockets(app.io, app.store, cookieParser(secret))
  const told: unknown[][] = []
  sockets.on('connection', (error, socket, held) => {
    told.push([error?.message, held === socket.handshake.session])
  })
  await join(app)
  await join(app, await app.login())
  expect(told).toEqual([
    ['Could not lookup session by key: connect.sid', false],
    [undefined, true],
  ])
})

test('passport.socketio in one namespace, express-socket.io-session in another, on one connection', async () => {
  const app = await start()
  app.express.get('/passport', (req, res) => {
    req.session['passport'] = { user: 'ann' }
    res.end()
  })
  share(app)
  const passport: passportSocketIo.PassportLike = {
    deserializeUser: (name, _request, done) => done(null, { name }),
  }
  app.io.of('/members').use(passportSocketIo.authorize({ secret, store: app.store, passport }))
  const cookie = await app.login()
  const get = vi.spyOn(app.store, 'get')
  const { client, socket } = await join(app, cookie)
  const refused = client.io.socket('/members')
  expect(await fateOf(refused)).toBe('Passport was not initialized')
  expect(await ask(client, 'get', 'user')).toBe('ann')
  expect(get).toHaveBeenCalledOnce()
  await app.get('/passport', cookie).catch(() => {})
  const connection = next<ServerSocket>(app.io.of('/members'), 'connection')
  const member = client.io.socket('/members')
  member.connect()
  const other = await connection
  expect(heldBy(other)).toBe(heldBy(socket))
  const left = next(other, 'disconnect')
  await app.get('/set/passport/', cookie).catch(() => app.get('/set/passport/none', cookie))
  await left
  expect(await ask(client, 'get', 'user')).toBe('ann')
  const end = next(socket, 'disconnect')
  await app.get('/logout', cookie)
  await end
  expect(await stored(app, idOf(cookie))).toBeFalsy()
})

test('two servers with one middleware', async () => {
  const [one, two] = [await start(), await start()]
  share(one)
  two.io.use(sharedSession(one.middleware))
  const cookie = await one.login()
  const [here, there] = [await join(one, cookie), await join(two, cookie)]
  expect(heldBy(here.socket)).toBe(heldBy(there.socket))
  const left = [next(here.socket, 'disconnect'), next(there.socket, 'disconnect')]
  await one.get('/logout', cookie)
  await Promise.all(left)
})
