/**
 * zappajs's io-session, row by row of what was measured on the original: what is kept, and what is mended. Its client in
 * a browser is `zappajs-browser.test.ts`.
 */
import { handshakeSession } from 'handshake-session'
import * as zappajs from 'handshake-session/compat/zappajs'
import { describe, expect, test } from 'vitest'
import { ask, connect, idOf, next, secret, startApp } from '../support/app.js'
import { read } from '../support/other-program'
import { signedCookie } from './handshakes'
import { type Ack, askForKey, connectZappa, runZappa, Store, share, startZappaApp, type ZappaApp } from './zappajs-apps'

describe('the key request', () => {
  test('kept: no store is 500 No session-store., no session is 400 No session', async () => {
    const app = await startApp({ attach: false })
    runZappa(app, {}, (context) => {
      context.app.get('/none/:x', () => {})
    })
    await askForKey(app, '').expect(500, { error: 'No session-store.' })

    const without = await startApp({ attach: false })
    without.express.get('/zappa/{*rest}', (req, _res, next) => {
      delete (req as { session?: unknown }).session
      next()
    })
    zappajs.bind({ app: without.express, io: without.io, store: without.store })
    await askForKey(without, '').expect(400, { error: 'No session' })
  })

  test('kept: 200 {key}, remembered as session.__socket[channel].key, and the same key the next time', async () => {
    const app = await startZappaApp()
    const cookie = await app.login()
    const { body } = await askForKey(app, cookie).expect(200)
    expect(body).toEqual({ key: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    expect((await sessionOf(app, cookie))['__socket']).toEqual({ __local: { key: body.key } })
    await askForKey(app, cookie).expect(200, body)
    await askForKey(app, cookie, '/zappa/socket/other/x').expect(200)
    expect(Object.keys((await sessionOf(app, cookie))['__socket'] as object)).toEqual(['__local', 'other'])
  })

  test('kept: key documents are {id, cookie: {}}, in the store of the sessions', async () => {
    const app = await startZappaApp({}, { cookie: { maxAge: 60_000 } })
    const cookie = await app.login()
    const { key } = (await askForKey(app, cookie)).body
    expect(await read(app.store, key)).toEqual({ id: idOf(cookie), cookie: {} })
  })

  test('mended: a key document lasts as long as its session, for stores that ask; keyLifetime: store as before', async () => {
    for (const keyLifetime of ['session', 'store'] as const) {
      const app = await startZappaApp({ keyLifetime }, { cookie: { maxAge: 60_000 } })
      const given: { cookie: { expires?: Date; maxAge?: number } }[] = []
      const { set } = app.store
      app.store.set = (id, record, callback) => {
        if (id.includes('-') && Object(record).id) given.push(record as never)
        return set.call(app.store, id, record, callback)
      }
      await askForKey(app, await app.login()).expect(200)
      const { expires, maxAge } = given.find((each) => !('user' in each))?.cookie ?? {}
      expect(expires instanceof Date && typeof maxAge === 'number').toBe(keyLifetime === 'session')
    }
  })

  test('mended: other APIs do not take a key document for a session', async () => {
    const app = await startZappaApp()
    const { key } = (await askForKey(app, await app.login())).body
    const sessions = handshakeSession({ store: app.store, secret })
    await expect(sessions.load({ headers: { cookie: signedCookie(key) } })).rejects.toMatchObject({
      code: 'ERR_SESSION_NOT_FOUND',
    })
    sessions.close()
  })

  test('mended: of a socket that reconnects, and of a second tab, the new id is remembered, under the same key', async () => {
    const app = await startZappaApp()
    const cookie = await app.login()
    const first = await connectZappa(app, cookie)
    expect(await boundSocket(app, cookie)).toEqual({ id: first.socket.id, key: first.key })
    const second = await connectZappa(app, cookie)
    expect(second.key).toBe(first.key)
    expect(await boundSocket(app, cookie)).toEqual({ id: second.socket.id, key: first.key })
  })

  test('mended: a remembered key whose document expired is minted again', async () => {
    const app = await startZappaApp()
    const cookie = await app.login()
    const { key } = (await askForKey(app, cookie)).body
    app.store.destroy(key)
    const again = await connectZappa(app, cookie)
    expect(again.key).not.toBe(key)
    expect(await boundSocket(app, cookie)).toMatchObject({ key: again.key })
  })

  test.each(['__proto__', 'constructor', 'toString'])(
    'mended: the channel %s is a channel like any other',
    async (name) => {
      const app = await startZappaApp({ channel: name })
      const cookie = await app.login()
      const { body } = await askForKey(app, cookie, `/zappa/socket/${name}/x`).expect(200)
      expect(body.key).toEqual(expect.any(String))
      await askForKey(app, cookie, `/zappa/socket/${name}/x`).expect(200, body)
      expect((await connectZappa(app, cookie)).key).toBe(body.key)
    },
  )

  test('mended: nobody can name a socket as his own; trustSocketId as before', async () => {
    const app = await startZappaApp()
    const [ann, eve] = [await app.login('ann'), await app.login('eve')]
    const { socket } = await connectZappa(app, ann)
    await askForKey(app, eve, `/zappa/socket/__local/${socket.id}`).expect(200)
    expect(await boundSocket(app, eve)).not.toHaveProperty('id')
    const own = await connectZappa(app, eve)
    expect(await boundSocket(app, eve)).toMatchObject({ id: own.socket.id })

    const trusting = await startZappaApp({ trustSocketId: true })
    const cookie = await trusting.login()
    await askForKey(trusting, cookie, '/zappa/socket/__local/elsewhere')
    expect(await boundSocket(trusting, cookie)).toMatchObject({ id: 'elsewhere' })
  })

  test('mended: the answer is Cache-Control: no-store', async () => {
    const app = await startZappaApp()
    await askForKey(app, await app.login()).expect('cache-control', 'no-store')
  })

  test('kept: a store that fails is 500 {error}; mended: one that throws as well', async () => {
    const app = await startZappaApp()
    const cookie = await app.login()
    const set = app.store.set
    for (const throws of [false, true]) {
      const failing: typeof set = (id, record, callback) => {
        if (!Object(record).id || !('cookie' in record) || 'user' in record)
          return set.call(app.store, id, record, callback)
        if (throws) throw new Error('disk full')
        callback?.(new Error('disk full'))
      }
      app.store.set = failing
      await askForKey(app, cookie).expect(500, { error: 'Error: disk full' })
    }
  })
})

describe('__zappa_key', () => {
  test('kept: binds the socket to the session, and answers {key}', async () => {
    const app = await startZappaApp()
    const cookie = await app.login()
    const { socket, key } = await connectZappa(app, cookie)
    expect(key).toEqual(expect.any(String))
    expect(await ask(socket, 'session')).toMatchObject({ id: idOf(cookie), user: 'ann' })
  })

  test('kept: a later key binds to another session', async () => {
    const app = await startZappaApp()
    const { socket } = await connectZappa(app, await app.login('ann'))
    await share(app, await app.login('bob'), socket)
    expect(await ask(socket, 'session')).toMatchObject({ user: 'bob' })
  })

  test('kept: no ack, no answer, and not bound; mended: nor a crash', async () => {
    const { app, socket } = await unbound()
    const { key } = (await askForKey(app, await app.login())).body
    for (const args of [[], [null], [{ key }], ['x', 'y'], [{ key }, {}]]) socket.emit('__zappa_key', ...args)
    expect(await ask(socket, 'session')).toMatchObject({ id: socket.id })
    expect(app.errors).toEqual([])
  })

  test('mended (crash): no store is {error: Missing session-store.}, once', async () => {
    const app = await startApp({ attach: false })
    runZappa(app, {}, () => {})
    const socket = connect(app.url)
    await next(socket, 'connect')
    expect(await answers(socket, '__zappa_key', { key: 'x' })).toEqual([{ error: 'Missing session-store.' }])
    expect(await answers(socket, '__zappa_key', {})).toEqual([{ error: 'Missing session-store.' }])
  })

  test('kept: no key is {error: Missing key.}; mended (crash): no payload as well', async () => {
    const { socket } = await unbound()
    for (const args of [[{}], [{ key: null }], [{ key: '' }], [null], ['x'], [7], [[]], []]) {
      expect(await answers(socket, '__zappa_key', ...args)).toEqual([{ error: 'Missing key.' }])
    }
  })

  test('mended: a key is a string', async () => {
    const { socket } = await unbound()
    for (const key of [7, true, {}, { toString: 1 }, ['x'], { length: 1 }]) {
      expect(await answers(socket, '__zappa_key', { key })).toEqual([{ error: 'Missing key.' }])
    }
  })

  test('kept: an unknown key is {error: Missing data}; mended: also where the store says ENOENT', async () => {
    const { app, socket } = await unbound()
    expect(await answers(socket, '__zappa_key', { key: 'unknown' })).toEqual([{ error: 'Missing data' }])
    expect(await answers(socket, '__zappa_key', { key: '__proto__' })).toEqual([{ error: 'Missing data' }])
    app.store.failures.get = Object.assign(new Error('no file'), { code: 'ENOENT' })
    expect(await answers(socket, '__zappa_key', { key: 'unknown' })).toEqual([{ error: 'Missing data' }])
  })

  test('kept: a store that fails is {error} with its words; mended: one that throws as well', async () => {
    const { app, socket } = await unbound()
    for (const throws of [false, true]) {
      Object.assign(app.store.failures, { get: new Error('db down'), throws })
      expect(await answers(socket, '__zappa_key', { key: 'x' })).toEqual([{ error: 'Error: db down' }])
    }
  })

  test('mended: the id of a session is no key, and does not unbind', async () => {
    const app = await startZappaApp()
    const cookie = await app.login()
    const { socket } = await connectZappa(app, cookie)
    expect(await answers(socket, '__zappa_key', { key: idOf(cookie) })).toEqual([{ error: 'Missing data' }])
    expect(await ask(socket, 'session')).toMatchObject({ user: 'ann' })
  })

  test('mended: nor is it in stores that write the id into the session', async () => {
    const { app, socket } = await unbound()
    const cookie = { path: '/', httpOnly: true, originalMaxAge: null }
    app.store.set('bob-id', { id: 'bob-id', user: 'bob', cookie } as never)
    expect(await answers(socket, '__zappa_key', { key: 'bob-id' })).toEqual([{ error: 'Missing data' }])
  })

  test('mended: a key whose session is gone is {error: Missing data}', async () => {
    const { app, socket } = await unbound()
    const cookie = await app.login()
    const { key } = (await askForKey(app, cookie)).body
    await app.get('/logout', cookie)
    expect(await answers(socket, '__zappa_key', { key })).toEqual([{ error: 'Missing data' }])
    expect(await ask(socket, 'session')).toMatchObject({ id: socket.id })
  })
})

describe('__zappa_settings', () => {
  test('mended: tells only prefix and channel, and what is allowed', async () => {
    const app = await startZappaApp({ prefix: '/z', channel: 'c', settings: ['view engine', 'absent'] })
    app.express.set('password', 'secret').set('view engine', 'pug')
    const socket = connect(app.url)
    const told = { zappa_prefix: '/z', zappa_channel: 'c', 'view engine': 'pug' }
    expect(await answers(socket, '__zappa_settings', null)).toEqual([told])
    await askForKey(app, await app.login(), '/z/socket/c/x').expect(200)
  })

  test('mended (crash): no ack, no answer', async () => {
    const { app, socket } = await unbound()
    for (const args of [[], [null], ['x', 'y'], [{}, {}]]) socket.emit('__zappa_settings', ...args)
    expect(await ask(socket, 'session')).toMatchObject({ id: socket.id })
    expect(app.errors).toEqual([])
  })

  test('kept: zappajs-client 1.0.1 sends settings with only a callback, and a key event without a key', async () => {
    const { socket } = await unbound()
    expect(await answers(socket, '__zappa_settings')).toEqual([{ zappa_prefix: '/zappa', zappa_channel: '__local' }])
    expect(await answers(socket, '__zappa_key', { key: undefined })).toEqual([{ error: 'Missing key.' }])
  })
})

test('bind says at once what it is missing', async () => {
  const { express: app, io } = await startApp({ attach: false })
  const store = new Store()
  const { default: session } = await import('express-session')
  for (const options of [{}, { app }, { app, io }, { app: 1, io, store }, { app, io, store, session }]) {
    expect(() => zappajs.bind(options as never)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' }))
  }
})

/** A socket without a session, connected. */
async function unbound() {
  const app = await startZappaApp()
  const socket = connect(app.url)
  await next(socket, 'connect')
  return { app, socket }
}

async function sessionOf(app: ZappaApp, cookie: string): Promise<Record<string, unknown>> {
  return (await read(app.store, idOf(cookie))) as never
}

async function boundSocket(app: ZappaApp, cookie: string): Promise<unknown> {
  const { __socket: channels } = (await sessionOf(app, cookie)) as { __socket: Record<string, unknown> }
  return channels['__local']
}

/** Everything that the ack is called with, until a later event was answered. */
async function answers(socket: ReturnType<typeof connect>, event: string, ...args: unknown[]): Promise<unknown[]> {
  const all: unknown[] = []
  const first = new Promise<void>((done) => {
    const ack: Ack = (answer) => {
      all.push(answer)
      done()
    }
    socket.emit(event, ...args, ack)
  })
  await first
  await ask(socket, '__zappa_key', {})
  return all
}
