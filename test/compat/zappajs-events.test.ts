/**
 * The session of zappajs's event handlers, row by row: read before the handler, written after it, and never against what
 * others did meanwhile.
 */
import { once } from 'node:events'
import type { SessionData } from 'express-session'
import { describe, expect, test, vi } from 'vitest'
import { ask, connect, idOf, next, startApp } from '../support/app.js'
import { read } from '../support/other-program'
import { connectZappa, runZappa, Store, startZappaApp, type ZappaApp } from './zappajs-apps'

describe('a bound socket', () => {
  test('kept: ctx.session is the Express session, ctx.req.session the same, with its methods', async () => {
    const { app, socket } = await bound()
    app.zappa.on('methods', (_data, ack, { session, req }) => {
      const methods = ['save', 'reload', 'destroy', 'regenerate', 'touch'] as const
      ack?.({
        same: session === req.session,
        user: session?.user,
        has: methods.every((each) => each in Object(session)),
      })
    })
    const again = await connectZappa(app, app.cookie)
    expect(await ask(again.socket, 'methods')).toEqual({ same: true, user: 'ann', has: true })
    socket.disconnect()
  })

  test('kept: saved after the handler, and HTTP sees it', async () => {
    const { app, socket } = await bound()
    const saved = once(app.store, `set ${app.id}`)
    socket.emit('set', { item: 'tea' })
    await saved
    expect(await app.get('/session', app.cookie)).toMatchObject({ user: 'ann', item: 'tea' })
  })

  test('kept: saved after the promise of the handler has resolved, and not before', async () => {
    const { app, socket } = await bound()
    const { work, begun } = slowHandler(app)
    const again = await connectZappa(app, app.cookie)
    again.socket.emit('slow', { early: 1 })
    await begun
    await ask(socket, 'session')
    expect(await record(app)).not.toHaveProperty('early')
    const saved = once(app.store, `set ${app.id}`)
    work.resolve()
    await saved
    expect(await record(app)).toMatchObject({ early: 1, late: true })
  })

  test('mended: a key that HTTP changed meanwhile survives', async () => {
    const { app } = await bound()
    const { work, begun } = slowHandler(app)
    const { socket } = await connectZappa(app, app.cookie)
    socket.emit('slow', { early: 1 })
    await begun
    await app.get('/set/color/red', app.cookie)
    const saved = once(app.store, `set ${app.id}`)
    work.resolve()
    await saved
    expect(await record(app)).toMatchObject({ color: 'red', early: 1, late: true })
  })

  test('mended: saved only if modified', async () => {
    const { app, socket } = await bound()
    app.store.written.length = 0
    for (let times = 0; times < 5; times++) await ask(socket, 'session')
    socket.emit('set', {})
    await ask(socket, 'session')
    expect(app.store.written).toEqual([])
  })

  test('mended: 1 000 increments from two sockets are all kept', async () => {
    const { app } = await bound()
    app.zappa.on('count', function (_data, ack) {
      if (this.session) this.session.count = (this.session.count ?? 0) + 1
      ack?.()
    })
    const sockets = [await connectZappa(app, app.cookie), await connectZappa(app, app.cookie)]
    const counts = sockets.flatMap(({ socket }) => Array.from({ length: 500 }, () => ask(socket, 'count')))
    await Promise.all(counts)
    const view = await ask<SessionData>((sockets[0] as (typeof sockets)[0]).socket, 'session')
    expect(view.count).toBe(1000)
  })

  test('mended: a destroyed session is never written back; the socket is unbound', async () => {
    const { app, socket } = await bound()
    await app.get('/logout', app.cookie)
    socket.emit('set', { item: 'tea' })
    expect(await ask(socket, 'session')).toMatchObject({ id: socket.id, item: 'tea' })
    expect(await record(app)).toBeFalsy()
    expect(await app.get('/session', app.cookie)).not.toHaveProperty('user')
  })

  test('mended: nor is one that was destroyed while its handler worked', async () => {
    const { app } = await bound()
    const { work, begun, done } = slowHandler(app)
    const { socket } = await connectZappa(app, app.cookie)
    socket.emit('slow', { early: 1 })
    await begun
    await app.get('/logout', app.cookie)
    work.resolve()
    await done
    expect(await ask(socket, 'session')).toMatchObject({ id: socket.id })
    expect(await record(app)).toBeFalsy()
    expect(app.errors).toEqual([])
  })

  test('mended: a handler that throws or rejects saves nothing, and ends nothing', async () => {
    const { app } = await bound()
    app.zappa.on('throws', function () {
      Object.assign(this.session ?? {}, { item: 'lost' })
      throw new Error('thrown')
    })
    app.zappa.on('rejects', async function () {
      Object.assign(this.session ?? {}, { item: 'lost' })
      throw new Error('rejected')
    })
    const { socket } = await connectZappa(app, app.cookie)
    socket.emit('throws')
    socket.emit('rejects')
    expect(await ask(socket, 'session')).not.toHaveProperty('item')
    expect(app.errors.map(String)).toEqual(['Error: thrown', 'Error: rejected'])
  })

  test('kept: a handler can save, reload and destroy its session itself', async () => {
    const { app } = await bound()
    app.zappa.on('later', async (data, ack, { session }) => {
      Object.assign(session ?? {}, data)
      session?.save((error) => ack?.(error ?? null))
    })
    app.zappa.on('fresh', (_data, ack, { session }) => session?.reload((error) => ack?.([error, session?.user])))
    app.zappa.on('leave', (_data, ack, { session }) => session?.destroy((error) => ack?.(error ?? null)))
    const { socket } = await connectZappa(app, app.cookie)
    expect(await ask(socket, 'later', { color: 'red' })).toBe(null)
    expect(await record(app)).toMatchObject({ color: 'red' })
    expect(await ask(socket, 'fresh')).toEqual([null, 'ann'])
    expect(await ask(socket, 'leave')).toBe(null)
    expect(await record(app)).toBeFalsy()
  })
})

describe('the store fails', () => {
  test('mended: it is logged, and the handler runs with no session', async () => {
    const { app, socket } = await bound()
    for (const throws of [false, true]) {
      Object.assign(app.store.failures, { get: new Error('db down'), throws })
      expect(await ask(socket, 'session')).toBe(null)
      expect(app.errors.splice(0)).toMatchObject([{ code: 'ERR_SESSION_STORE', cause: new Error('db down') }])
    }
    app.store.failures.get = undefined
    expect(await ask(socket, 'session')).toMatchObject({ user: 'ann' })
  })

  test('mended: so is a write that fails, after a promise as well', async () => {
    const { app } = await bound()
    app.zappa.on('set later', async (data, _ack, { session }) => void Object.assign(session ?? {}, data))
    const { socket } = await connectZappa(app, app.cookie)
    app.store.failures.set = new Error('disk full')
    for (const event of ['set', 'set later']) {
      socket.emit(event, { item: 'tea' })
      await ask(socket, 'session')
      expect(await ask(socket, 'session')).not.toHaveProperty('item')
      expect(app.errors.splice(0)).toMatchObject([{ code: 'ERR_SESSION_STORE', cause: new Error('disk full') }])
    }
  })

  test('kept: ENOENT is no failure, but no session', async () => {
    const { app, socket } = await bound()
    app.store.failures.get = Object.assign(new Error('no file'), { code: 'ENOENT' })
    expect(await ask(socket, 'session')).toMatchObject({ id: socket.id })
    expect(app.errors).toEqual([])
  })
})

describe('an unbound socket', () => {
  test('kept: unbound socket-id (6.5), the default: a session of its own under the socket id, marked cookie.__io', async () => {
    const app = await startZappaApp()
    const socket = await anonymous(app)
    const id = String(socket.id)
    const saved = once(app.store, `set ${id}`)
    socket.emit('set', { nickname: 'nick' })
    await saved
    expect(await ask(socket, 'session')).toMatchObject({ id, nickname: 'nick', cookie: { __io: true } })
    expect(await read(app.store, id)).toMatchObject({ nickname: 'nick', cookie: { __io: true } })
  })

  test('mended: it is not written before it is changed', async () => {
    const app = await startZappaApp()
    expect(await ask(await anonymous(app), 'session')).toMatchObject({ cookie: { __io: true } })
    expect(app.store.written).toEqual([])
  })

  test('one that was never written is not deleted', async () => {
    const app = await startZappaApp()
    const client = await anonymous(app)
    const destroy = vi.fn()
    app.store.on(`destroy ${client.id}`, destroy)
    await ask(client, 'session')
    const [socket] = app.io.sockets.sockets.values()
    const left = once(socket as never, 'disconnect')
    client.disconnect()
    await left
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    expect(destroy).not.toHaveBeenCalled()
  })

  test('mended: what is written expires, and is deleted on disconnect', async () => {
    const app = await startZappaApp({ unboundLifetime: 5000 })
    const socket = await anonymous(app)
    const id = String(socket.id)
    const saved = once(app.store, `set ${id}`)
    socket.emit('set', { nickname: 'nick' })
    await saved
    const { cookie } = (await read(app.store, id)) as SessionData
    expect(new Date(String(cookie.expires)).getTime() - Date.now()).toBeLessThanOrEqual(5000)
    const destroyed = once(app.store, `destroy ${id}`)
    socket.disconnect()
    await destroyed
    expect(await read(app.store, id)).toBeFalsy()
  })

  test('mended: what its handlers change when it is gone is not kept', async () => {
    const app = await startZappaApp()
    const [begun, work, done] = [deferred(), deferred(), deferred()]
    app.zappa.on('late', async function () {
      begun.resolve()
      await work.promise
      Object.assign(this.session ?? {}, { late: true })
      this.session?.save(done.resolve)
    })
    const socket = await anonymous(app)
    const id = String(socket.id)
    socket.emit('set', { nickname: 'nick' })
    socket.emit('late')
    await begun.promise
    const destroyed = once(app.store, `destroy ${id}`)
    socket.disconnect()
    await destroyed
    work.resolve()
    await done.promise
    expect(await read(app.store, id)).toBeFalsy()
  })

  test('kept: unbound none (6.3, 6.4): no session and no store access', async () => {
    const app = await startZappaApp({ unbound: 'none' })
    expect(await ask(await anonymous(app), 'session')).toBe(null)
    expect(app.store.written).toEqual([])
    const cookie = await app.login()
    const { socket } = await connectZappa(app, cookie)
    expect(await ask(socket, 'session')).toMatchObject({ user: 'ann' })
    await app.get('/logout', cookie)
    expect(await ask(socket, 'session')).toBe(null)
  })
})

test('mended: middleware runs in the order it was given, at every handler', async () => {
  const app = await startZappaApp()
  for (const name of ['a', 'b']) {
    app.zappa.io_use((ctx, _res, next) => {
      Object.assign(ctx, { order: `${(ctx as { order?: string }).order ?? Boolean(ctx.session)} ${name}` })
      return next()
    })
  }
  for (const event of ['one', 'two', 'three']) app.zappa.on(event, (_data, ack, ctx) => ack?.(Object(ctx).order))
  const socket = await anonymous(app)
  for (const event of ['one', 'two', 'three']) expect(await ask(socket, event)).toBe('true a b')
})

test('mended: no payload of any event ends the process', async () => {
  const app = await startZappaApp()
  const socket = await anonymous(app)
  const payloads = [[], [null], [undefined, null], [0], ['x'], [[]], [{}], [{ toString: 1 }], [{ key: { key: 1 } }, {}]]
  for (const event of ['__zappa_settings', '__zappa_key', 'set', 'session', 'unknown']) {
    for (const payload of payloads) socket.emit(event, ...payload)
  }
  expect(await ask(socket, 'session')).toMatchObject({ id: socket.id })
  expect(app.errors).toEqual([])
})

test('kept: connection and disconnect have the session, too', async () => {
  const app = await startZappaApp()
  const seen: unknown[] = []
  app.zappa.on('connection', (_data, _ack, { session }) => seen.push(session?.id))
  const left = new Promise((done) => {
    app.zappa.on('disconnect', (_data, _ack, { session }) => done(session?.user))
  })
  const { socket } = await connectZappa(app, await app.login())
  expect(seen).toEqual([socket.id])
  socket.disconnect()
  expect(await left).toBe('ann')
})

test('close gives the store back, and handlers run without a session', async () => {
  const { app, socket } = await bound()
  app.sessions.close()
  expect(Object.keys(app.store)).toContain('destroy')
  app.zappa.close()
  expect(await ask(socket, 'session')).toBe(null)
  expect(Object.keys(app.store)).not.toContain('destroy')
})

describe.each(['socket-id', 'none'] as const)('called by zappajs itself, unbound: %s', (unbound) => {
  test('a client is bound, and its handlers have the session, saved when their promise has resolved', async () => {
    const store = new Store()
    const app = await startApp({ attach: false, store })
    runZappa(app, { unbound }, (context) => {
      context.session_store = store
      context.on('session', function (this: { session?: { id: string } }, data, ack) {
        ack?.({ id: this.session?.id ?? null, data })
      })
      context.on('set', async function (this: { session: object }, data) {
        await Promise.resolve()
        Object.assign(this.session, data)
      })
    })
    const stranger = connect(app.url)
    await next(stranger, 'connect')
    expect(await ask(stranger, 'session', 1)).toEqual({ id: unbound === 'none' ? null : stranger.id, data: 1 })
    stranger.emit('__zappa_key')
    stranger.emit('__zappa_key', null)

    const cookie = await app.login()
    const { socket } = await connectZappa(app, cookie)
    expect(await ask(socket, 'session', 2)).toEqual({ id: idOf(cookie), data: 2 })
    const saved = once(store, `set ${idOf(cookie)}`)
    socket.emit('set', { item: 'tea' })
    await saved
    expect(await app.get('/session', cookie)).toMatchObject({ user: 'ann', item: 'tea' })
  })
})

interface Bound extends ZappaApp {
  cookie: string
  /** The id of the session. */
  id: string
}

/** An app, and a socket that is bound to the session of ann. */
async function bound() {
  const app = await startZappaApp()
  const cookie = await app.login()
  const { socket } = await connectZappa(app, cookie)
  return { app: Object.assign(app, { cookie, id: idOf(cookie) }) as Bound, socket }
}

async function anonymous({ url }: ZappaApp) {
  const socket = connect(url)
  await next(socket, 'connect')
  return socket
}

function record({ store, id }: Bound) {
  return read(store, id)
}

/** A handler of `slow`, which takes its data at once, then works until `work` is resolved; then it changes `late`. */
function slowHandler({ zappa }: ZappaApp) {
  const [work, begun, done] = [deferred(), deferred(), deferred()]
  zappa.on('slow', async function (data) {
    Object.assign(this.session ?? {}, data)
    begun.resolve()
    await work.promise
    Object.assign(this.session ?? {}, { late: true })
    done.resolve()
  })
  return { work, begun: begun.promise, done: done.promise }
}

function deferred() {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
