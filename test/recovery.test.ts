/** Connection state recovery: only for the session that the connection belonged to, and only while that lives. */
import type { Socket } from 'socket.io'
import type { Socket as Client } from 'socket.io-client'
import { describe, expect, test } from 'vitest'
import { type App, ask, connect, idOf, next, startApp } from './support/app.js'

/** A client of ann with state worth recovering, its connection cut, and packets that it missed. */
async function lose(skipMiddlewares: boolean | undefined) {
  const recovery = skipMiddlewares === undefined ? {} : { skipMiddlewares }
  const app = await startApp({ io: { connectionStateRecovery: recovery } })
  app.io.on('connection', (socket) => {
    socket.on('sync', (answer) => answer(socket.handshake.session.user))
    if (socket.recovered) return
    socket.data.secret = `secret of ${socket.handshake.session.user}`
    socket.join(`room of ${socket.handshake.session.user}`)
    socket.emit('welcome', 1)
  })
  const ann = await app.login('ann')
  const headers = { cookie: ann }
  const connection = next<Socket>(app.io, 'connection')
  const client = connect(app.url, undefined, {
    extraHeaders: headers,
    transports: ['websocket'],
    reconnection: true,
    reconnectionDelay: 5,
    autoConnect: false,
  })
  const welcome = next(client, 'welcome')
  client.connect()
  await welcome
  const socket = await connection
  return { app, ann, headers, client, socket }
}

/** Cuts the connection; while it is cut, `meanwhile` happens, with the server's end gone. */
async function cut(client: Client, socket: Socket, meanwhile: () => unknown): Promise<void> {
  const gone = next(socket, 'disconnect')
  client.io.reconnection(false)
  client.io.engine.close()
  await gone
  await meanwhile()
  client.io.reconnection(true)
}

/** All that comes over the wire on the next connection, until it is settled. */
function wiretap(client: Client): string[] {
  const packets: string[] = []
  client.io.on('open', () => client.io.engine.on('data', (data: unknown) => packets.push(String(data))))
  return packets
}

function miss(app: App): void {
  app.io.to('room of ann').emit('news', 'private to ann')
  app.io.to('room of ann').emit('more', { also: 'private to ann' })
}

describe.each([undefined, true, false])('skipMiddlewares: %s', (skipMiddlewares) => {
  test('the rightful owner recovers rooms, data, missed packets and the session', async () => {
    const { app, client, socket } = await lose(skipMiddlewares)
    const missed: unknown[] = []
    client.onAny((event, ...args) => missed.push([event, args[0], args.length]))
    const again = next<Socket>(app.io, 'connection')
    await cut(client, socket, () => miss(app))
    client.connect()
    const recovered = await again
    expect(recovered.recovered).toBe(true)
    expect(recovered.id).toBe(socket.id)
    expect(recovered.data).toEqual({ secret: 'secret of ann' })
    expect(recovered.rooms).toContain('room of ann')
    expect(recovered.handshake.session.user).toBe('ann')
    expect(await ask(client, 'sync')).toBe('ann')
    expect(missed).toEqual([
      ['news', 'private to ann', 2], // the offset is the last, as Socket.IO has it
      ['more', { also: 'private to ann' }, 2],
    ])
    expect(client.recovered).toBe(true)
  })

  test('with the cookie of another user nothing of the first one arrives', async () => {
    const { app, headers, client, socket } = await lose(skipMiddlewares)
    const wire = wiretap(client)
    const again = next<Socket>(app.io, 'connection')
    const bob = await app.login('bob')
    await cut(client, socket, () => miss(app))
    headers.cookie = bob
    client.connect()
    const fresh = await again
    expect(fresh.recovered).toBe(false)
    expect(fresh.id).not.toBe(socket.id)
    expect(fresh.data).toEqual({ secret: 'secret of bob' })
    expect(fresh.rooms).not.toContain('room of ann')
    expect(await ask(client, 'sync')).toBe('bob')
    expect(wire.length).toBeGreaterThan(0)
    expect(wire.join()).not.toMatch(/ann|news|more/)
    expect(client.id).toBe(fresh.id)
    expect((app.io.of('/') as unknown as { _preConnectSockets: Map<string, unknown> })._preConnectSockets.size).toBe(0)
  })

  test('what is broadcast while the guard reads the store arrives as well', async () => {
    const { app, client, socket } = await lose(skipMiddlewares)
    const heard: unknown[] = []
    client.onAny((event) => heard.push(event))
    app.io.use((_socket, pass) => {
      app.io.to('room of ann').emit('meanwhile')
      pass()
    })
    await cut(client, socket, () => miss(app))
    client.connect()
    expect(await ask(client, 'sync')).toBe('ann')
    expect(heard).toEqual(['news', 'more', 'meanwhile'])
  })

  test('an adapter that is set after attach withholds as well', async () => {
    const { app, headers, client, socket } = await lose(skipMiddlewares)
    const { SessionAwareAdapter } = await import('socket.io-adapter')
    app.io.adapter(SessionAwareAdapter as never)
    const connection = next<Socket>(app.io, 'connection')
    const gone = next(socket, 'disconnect')
    client.disconnect()
    await gone
    client.connect()
    const again = await connection
    const wire = wiretap(client)
    const bob = await app.login('bob')
    await ask(client, 'sync')
    await cut(client, again, () => miss(app))
    headers.cookie = bob
    client.connect()
    expect(await ask(client, 'sync')).toBe('bob')
    expect(wire.join()).not.toMatch(/ann|news|more/)
  })

  test('the missed packets of a revoked session are not sent', async () => {
    const { app, ann, client, socket } = await lose(skipMiddlewares)
    const wire = wiretap(client)
    await cut(client, socket, async () => {
      miss(app)
      await app.sessions.revoke(idOf(ann))
    })
    client.connect()
    expect(await next(client, 'connect_error')).toMatchObject({ data: { code: 'ERR_SESSION_NOT_FOUND' } })
    expect(wire.join()).not.toMatch(/ann|news|more/)
  })

  test('a middleware that refuses a recovered connection is asked before any packet is sent', async () => {
    const { app, client, socket } = await lose(skipMiddlewares)
    app.io.use((_socket, pass) => pass(new Error('not today')))
    const wire = wiretap(client)
    await cut(client, socket, () => miss(app))
    client.connect()
    expect(await next(client, 'connect_error')).toMatchObject({ message: 'not today' })
    expect(wire.join()).not.toMatch(/news|more/)
  })
})
