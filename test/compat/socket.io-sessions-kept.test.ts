/**
 * socket.io-sessions, what apps could rely on (K in LEGACY.md (c)): each case runs on the original 0.6.1 with
 * Socket.IO 0.9.19 and on the shim, with the same expectation.
 */
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import type { Options } from 'handshake-session/compat/socket.io-sessions'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { idOf, next } from '../support/app.js'
import { read } from '../support/other-program.js'
import { implementations } from './sessions-original.js'
import {
  byEvent,
  join as joinBy,
  joinSession as joinSessionBy,
  record,
  type Session,
  type SessionsApp,
  scriptPath,
  settled,
  start,
} from './sessions-server.js'

describe.each(implementations)('K on the $name', ({ serve, enable, connect }) => {
  const perConnection = (options?: Options) => start(({ io, store }) => enable(serve(io), store, options))
  const perMessage = () => perConnection({ per_message: 1 })
  const join = (app: SessionsApp) => joinBy(app, undefined, connect)
  const joinSession = (app: SessionsApp, sid: string) => joinSessionBy(app, sid, byEvent, connect)

  test('enable returns the manager that it was given', async () => {
    const given: unknown[] = []
    const { manager } = await start(({ io, store }) => {
      const socket = serve(io)
      given.push(socket)
      return enable(socket, store)
    })
    expect(given[0]).toBe(manager)
  })

  test('per connection: sconnection(client, session) with what the store has', async () => {
    const app = await perConnection()
    const id = idOf(await app.login('ann'))
    const { args, socket } = await joinSession(app, id)
    expect(args).toEqual([socket, expect.objectContaining({ user: 'ann', cookie: expect.anything() })])
  })

  test('per message: sconnection(client) at once, before any check of the sid', async () => {
    const app = await perMessage()
    const { args, socket } = await joinSession(app, 'nobody’s')
    expect(args).toEqual([socket])
    expect(app.store.calls.get).toBeLessThanOrEqual(1)
  })

  test('per message: smessage(message, session) on the client; the ack is dropped', async () => {
    const app = await perMessage()
    const { client, socket } = await joinSession(app, idOf(await app.login('ann')))
    const arrived = once(socket as never, 'smessage')
    client.send('ping', () => {})
    expect(await arrived).toEqual(['ping', expect.objectContaining({ user: 'ann' })])
  })

  test('sinvalid(client): per connection once', async () => {
    const app = await perConnection()
    const invalid = record(app.manager, 'sinvalid')
    const { client, socket } = await join(app)
    const first = once(app.manager, 'sinvalid')
    byEvent(client, 'nobody’s')
    await first
    client.send('hello')
    await settled(client, socket)
    expect(invalid).toEqual([[socket]])
  })

  test('sinvalid(client): per message for each message, and none for the handshake', async () => {
    const app = await perMessage()
    const invalid = record(app.manager, 'sinvalid')
    const { client, socket } = await joinSession(app, 'nobody’s')
    for (const count of [1, 2]) {
      const next = once(app.manager, 'sinvalid')
      client.send('hello')
      await next
      expect(invalid).toHaveLength(count)
    }
    expect(invalid[1]).toEqual([socket])
  })

  test('per connection: saved once, on disconnect, after the disconnect listeners of sconnection', async () => {
    const app = await perConnection()
    const id = idOf(await app.login())
    app.manager.once('sconnection', (client, session: Session) => {
      session['pings'] = 1
      client.on('disconnect', () => {
        session['left'] = true
      })
    })
    const { client, socket } = await joinSession(app, id)
    app.store.reset()
    await settled(client, socket)
    expect(app.store.calls.set).toBe(0)
    // By the server: the client of 0.9, when it leaves, aborts the very request that says so.
    await saved(app, () => socket.disconnect())
    expect(await read(app.store, id)).toMatchObject({ pings: 1, left: true })
    expect(app.store.calls).toMatchObject({ set: 1, touch: 0 })
  })

  test('per message: saved after the listeners of smessage', async () => {
    const app = await perMessage()
    const id = idOf(await app.login())
    const { client, socket } = await joinSession(app, id)
    app.store.reset()
    socket.on(
      'smessage' as never,
      ((message: string, session: Session) => {
        session['said'] = message
      }) as never,
    )
    await saved(app, () => client.send('hello'))
    expect(await read(app.store, id)).toMatchObject({ said: 'hello' })
    expect(app.store.calls).toMatchObject({ set: 1, touch: 0 })
  })

  test('never saved on sinvalid', async () => {
    const app = await perMessage()
    const { client } = await joinSession(app, 'nobody’s')
    const invalid = once(app.manager, 'sinvalid')
    client.send('hello')
    await invalid
    await setImmediate()
    expect(app.store.calls.set).toBe(0)
  })

  test('sconnection, smessage and sinvalid stay on the server', async () => {
    const app = await perMessage()
    const { client, socket } = await joinSession(app, idOf(await app.login()))
    const heard: string[] = []
    for (const event of ['sconnection', 'smessage', 'sinvalid', 'last']) client.on(event, () => heard.push(event))
    client.send('hello')
    await settled(client, socket)
    app.manager.sockets.emit('last')
    await next(client, 'last')
    expect(heard).toEqual(['last'])
  })

  test('connect_with_session with a falsy __sid does nothing', async () => {
    const app = await perMessage()
    const calls = [record(app.manager, 'sconnection'), record(app.manager, 'sinvalid')]
    const { client, socket } = await join(app)
    for (const sid of ['', 0, null, false, undefined]) byEvent(client, sid)
    await settled(client, socket)
    expect(calls).toEqual([[], []])
  })

  test('the script: 200, text/javascript, CONNECT_SID, also with a query; POST is Socket.IO’s', async () => {
    const app = await perConnection()
    const cookie = await app.login()
    const { headers, text } = await request(app.url)
      .get(`${scriptPath}?1234`)
      .set('cookie', cookie)
      .buffer()
      .expect(200)
    expect(headers['content-type']).toMatch(/^text\/javascript/)
    expect(text).toMatch(/^var CONNECT_SID = .+;\n/)
    expect(text).toContain('io.connectWithSession')
    const { text: posted } = await request(app.url).post(scriptPath)
    expect(posted).toMatch(/Transport unknown|Welcome to socket\.io/)
    await request(app.url).get('/session').set('cookie', cookie).expect(200, /ann/)
  })

  test('parser wins over cutter', async () => {
    const parser = (req: { cookies?: object }) => {
      req.cookies = { 'connect.sid': 'of-parser' }
    }
    const app = await perConnection({ parser, cutter: () => 'of-cutter' })
    const { text } = await request(app.url).get(scriptPath).buffer().expect(200)
    expect(text).toContain('of-parser')
    expect(text).not.toContain('of-cutter')
  })
})

/** The store has what `doing` makes the server write. */
async function saved({ store }: SessionsApp, doing: () => void): Promise<void> {
  const written = store.next('set')
  doing()
  await written
  await setImmediate()
}
