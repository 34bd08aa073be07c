/**
 * passport.socketio by `io.set`, as its own tests have it: each thing that they assert, and `filterSocketsByUser`, with clients
 * of two protocols.
 */
import { createRequire } from 'node:module'
import { authorize, filterSocketsByUser, type Options } from 'handshake-session/compat/passport.socketio'
import request from 'supertest'
import { describe, expect, test, vi } from 'vitest'
import { connect, cookieOf, next, secret } from '../support/app.js'
import { fate, generations, join, listen, type OldSocket } from './old-server.js'
import { startBare } from './shared-session.js'

interface User {
  name: string
  mail?: string
}
type Done = (error: unknown, user?: User) => void
type Accept = (error: unknown, accepted?: boolean) => void

const { Passport } = createRequire(import.meta.url)('passport') as {
  Passport: new () => { deserializeUser(find: (request: unknown, user: User, done: Done) => void): void }
}
const passport = new Passport()
/** With three arguments, as Passport lets apps have the request. */
passport.deserializeUser((request, user, done) => (request ? done(null, user) : done('Missing request')))

describe.each(generations)('client $version', ({ connect: generation }) => {
  async function start(options: object = {}) {
    const key = 'test-session-key'
    const app = await startBare({ name: key, session: { saveUninitialized: true, resave: true } })
    app.express.get('/passport/:name', (req, res) => {
      req.session['passport'] = { user: { name: req.params.name, mail: 'j@f.r' } }
      res.end()
    })
    const { io, url } = await listen()
    io.configure(() => {
      io.set('authorization', authorize({ store: app.store, key, secret, passport, ...options } as Options))
    })
    const login = async (name: string) => cookieOf(await request(app.url).get(`/passport/${name}`).expect(200))
    return { app, io, url, login, enter: (cookie?: string) => connect(url, cookie, {}, generation) }
  }

  test('who is not logged in: handshake unauthorized', async () => {
    const { app, enter } = await start()
    expect(await fate(enter())).toBe('handshake unauthorized')
    // Of a visitor, whose session is saved without a login.
    expect(await fate(enter(cookieOf(await request(app.url).get('/session'))))).toBe('handshake unauthorized')
  })

  test('who is logged in connects', async () => {
    const { io, login, url } = await start()
    const [, socket] = await join(io, url, generation, await login('jose'))
    expect(socket.request).toMatchObject({ user: { name: 'jose', mail: 'j@f.r', logged_in: true } })
  })

  test('success gets accept, and nobody connects before it is called', async () => {
    const asked = vi.fn<(accept: Accept) => void>()
    const success = (_data: object, accept: Accept) => asked(accept)
    const { io, login, enter } = await start({ success })
    const connected = vi.fn()
    io.on('connection', connected)
    const begun = new Promise<Accept>((resolve) => asked.mockImplementation(resolve))
    const client = enter(await login('jose'))
    client.on('connect', connected)
    const accept = await begun
    expect(accept).toBeInstanceOf(Function)
    // By the time that another one is through, this one would have been.
    asked.mockImplementation((accept) => accept(null, true))
    await next(enter(await login('maria')), 'connect')
    expect(connected).toHaveBeenCalledOnce()
    const connection = next<OldSocket>(io, 'connection')
    accept(null, true)
    await next(client, 'connect')
    expect((await connection).request).toMatchObject({ user: { name: 'jose' } })
  })

  test('filterSocketsByUser', async () => {
    const { io, login, url } = await start()
    const [client, jose] = await join(io, url, generation, await login('jose'))
    await join(io, url, generation, await login('maria'))
    const found = filterSocketsByUser<OldSocket, User>(io as never, ({ name }) => name === 'jose')
    expect(found).toEqual([jose])
    const told = next(client, 'hello')
    for (const socket of found) socket.emit('hello', 'you')
    expect(await told).toBe('you')
  })
})
