/**
 * Old apps with an authorizer of their own, or one of a library of their time, unedited, with `-r handshake-session/register`:
 * clients of three generations, in one run of the app.
 */
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { connect, cookieOf, next } from '../support/app.js'
import { clients } from '../support/clients.js'
import { startOldApp } from './old-app.js'
import { fate } from './old-server.js'

const three = clients.filter(({ version }) => version !== '3.1')

describe.each([
  ['own-authorizer-0.9', 'Connected: ann from (::ffff:)?127.0.0.1', 'handshake error'],
  ['own-authorizer-1.x', 'Connected: ann from (::ffff:)?127.0.0.1 by (::ffff:)?127.0.0.1', 'Error: banned: you'],
])('%s', (name, line, told) => {
  test('the session is live: read, saved, and closed by a logout', async () => {
    const app = await startOldApp(name)
    for (const { connect: generation } of three) {
      const cookie = cookieOf(await request(app.url).get('/login/ann').expect(200))
      const client = connect(app.url, cookie, {}, generation)
      expect(await fate(client)).toBe('connect')
      await app.prints(new RegExp(`${line}\n`))
      client.emit('rename', 'bea')
      expect(await next(client, 'renamed')).toBe('bea')
      const closed = next(client, 'disconnect')
      await request(app.url).get('/logout').set('Cookie', cookie).expect(200)
      expect(await closed).toBe('transport close')
      await app.prints(/Gone: bea\n/)
      expect(await fate(connect(app.url, undefined, { query: { banned: 'you' } }, generation))).toBe(told)
    }
  })
})

test('own-authorizer-1.x: a guest, whose session is in no store yet', async () => {
  const app = await startOldApp('own-authorizer-1.x')
  for (const { connect: generation } of three) {
    expect(await fate(connect(app.url, undefined, {}, generation))).toBe('connect')
    await app.prints(/Connected: guest/)
  }
})

test('socketio-jwt', async () => {
  const app = await startOldApp('socketio-jwt')
  const { token } = (await request(app.url).get('/login/ann').expect(200)).body
  for (const { connect: generation } of three) {
    expect(await fate(connect(app.url, undefined, { query: { token } }, generation))).toBe('connect')
    await app.prints(/Connected: ann, ann\n/)
    expect(await fate(connect(app.url, undefined, { query: { token: 'x' } }, generation))).toBe(
      'handshake unauthorized',
    )
  }
})

test('passport.socketio', async () => {
  const app = await startOldApp('passport.socketio')
  const login = request(app.url).post('/login').send({ username: 'ann', password: 'secret' })
  const cookie = cookieOf(await login.expect(200))
  for (const { connect: generation } of three) {
    expect(await fate(connect(app.url, cookie, {}, generation))).toBe('connect')
    await app.prints(/Let in: ann\n[\s\S]*Connected: ann, true\n/)
    expect(await fate(connect(app.url, undefined, {}, generation))).toBe('handshake unauthorized')
    await app.prints(/Refused: No session found\n/)
  }
})
