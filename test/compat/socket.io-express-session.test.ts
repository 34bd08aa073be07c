/**
 * socket.io-express-session: the same app with the original and with ours. It shares all with express-socket.io-session's
 * shim but its name, so what is asked here is what apps do with it.
 */
import { createRequire } from 'node:module'
import session from 'express-session'
import { SessionError } from 'handshake-session'
import ios from 'handshake-session/compat/socket.io-express-session'
import { describe, expect, test, vi } from 'vitest'
import { ask, connect, idOf, next } from '../support/app.js'
import { fateOf, heldBy, join, type Middleware, serve, startBare, stored } from './shared-session.js'

type Make = (middleware: unknown) => Middleware

const require = createRequire(import.meta.url)
const original = require('socket.io-express-session') as Make
const ours = ios as unknown as Make

async function start(make: Make) {
  const app = await startBare()
  app.io.use(make(app.middleware))
  app.io.on('connection', serve)
  return app
}

describe.each([
  ['socket.io-express-session 0.1.3', original],
  ['ours', ours],
])('kept, by %s', (_, make) => {
  test('the session of the cookie, before connection; what is saved reaches HTTP', async () => {
    const app = await start(make)
    const cookie = await app.login()
    const { client, socket } = await join(app, cookie)
    expect(heldBy(socket)).toBeInstanceOf(session.Session)
    expect(await ask(client, 'get', 'user')).toBe('ann')
    await ask(client, 'set', 'count', 7)
    expect(await ask(client, 'save')).toBe('saved')
    expect(await app.get('/session', cookie)).toMatchObject({ user: 'ann', count: 7 })
  })

  test('a visitor has a new session, stored once it is saved', async () => {
    const app = await start(make)
    const set = vi.spyOn(app.store, 'set')
    const { client, socket } = await join(app)
    await ask(client, 'set', 'seen', true)
    expect(set).not.toHaveBeenCalled()
    expect(await ask(client, 'save')).toBe('saved')
    expect(await stored(app, heldBy(socket).id)).toMatchObject({ seen: true })
  })

  test('nobody is let in while the store fails', async () => {
    const app = await start(make)
    const cookie = await app.login()
    vi.spyOn(app.store, 'get').mockImplementation((_id, done) => done(new Error('down')))
    expect(await fateOf(connect(app.url, cookie))).not.toBe('in')
  })
})

describe('mended', () => {
  test('what HTTP writes is there, and is kept', async () => {
    const seenBy = async (make: Make) => {
      const app = await start(make)
      const cookie = await app.login()
      const { client } = await join(app, cookie)
      await app.get('/set/theme/dark', cookie)
      const seen = await ask(client, 'get', 'theme')
      await ask(client, 'set', 'count', 7)
      await ask(client, 'save')
      return [seen, await app.get('/session', cookie)]
    }
    expect(await seenBy(original)).toEqual([null, expect.not.objectContaining({ theme: 'dark' })])
    expect(await seenBy(ours)).toEqual(['dark', expect.objectContaining({ theme: 'dark', count: 7 })])
  })

  test('a logout closes the socket', async () => {
    const fateBy = async (make: Make) => {
      const app = await start(make)
      const cookie = await app.login()
      const { client, socket } = await join(app, cookie)
      const left = next(socket, 'disconnect').then(() => 'closed')
      await app.get('/logout', cookie)
      const stays = ask(client, 'set', 'count', 7).then(() => 'open')
      return [await Promise.race([left, stays]), await stored(app, idOf(cookie))]
    }
    expect(await fateBy(original)).toEqual(['open', undefined])
    expect(await fateBy(ours)).toEqual(['closed', undefined])
  })

  test('a genid that throws refuses, and ends no process', async () => {
    const genid = () => {
      throw new Error('no id')
    }
    const app = await startBare({ session: { genid } })
    app.io.use(ours(app.middleware))
    expect(await fateOf(connect(app.url))).toBe('ERR_SESSION_STORE')
  })

  test.each([[undefined], [null], ['session'], [{ secret: 'keyboard cat' }], [() => {}]])(
    '%o is an error at once',
    (middleware) => {
      expect(() => ours(middleware)).toThrow(SessionError)
    },
  )
})
