/** Connection state recovery: only for the session that the connection belonged to, and only while that lives. */
import { setImmediate as turn } from 'node:timers/promises'
import session from 'express-session'
import { handshakeSession } from 'handshake-session'
import type { Socket } from 'socket.io'
import type { Socket as Client } from 'socket.io-client'
import { describe, expect, onTestFinished, test } from 'vitest'
import { signedCookie } from './compat/handshakes.js'
import { type App, ask, connect, idOf, next, secret, startApp } from './support/app.js'

/** A client of ann with state worth recovering, its connection cut, and packets that it missed. */
async function lose(skipMiddlewares?: boolean, { required = true, before = (_app: App) => {} } = {}) {
  const recovery = skipMiddlewares === undefined ? {} : { skipMiddlewares }
  const app = await startApp({ required, attach: false, io: { connectionStateRecovery: recovery } })
  before(app)
  app.sessions.attach(app.io)
  app.io.on('connection', (socket) => {
    const { user = 'nobody' } = socket.handshake.session ?? {}
    socket.on('sync', (answer) => answer(user))
    if (socket.recovered) return
    socket.data.secret = `secret of ${user}`
    socket.join(`room of ${user}`)
    socket.emit('welcome', 1)
  })
  const ann = await app.login('ann')
  const headers: { cookie?: string } = { cookie: ann }
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

/** The connection is cut, misses packets, and is there again with the cookie of another user. */
async function comeBackAsBob({ app, headers, client, socket }: Awaited<ReturnType<typeof lose>>): Promise<Socket> {
  const again = next<Socket>(app.io, 'connection')
  const bob = await app.login('bob')
  await cut(client, socket, () => miss(app))
  headers.cookie = bob
  client.connect()
  return again
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
    const lost = await lose(skipMiddlewares)
    const { app, client, socket } = lost
    const wire = wiretap(client)
    const fresh = await comeBackAsBob(lost)
    expect(fresh.recovered).toBe(false)
    expect(fresh.id).not.toBe(socket.id)
    expect(fresh.data).toEqual({ secret: 'secret of bob' })
    expect(fresh.rooms).not.toContain('room of ann')
    expect(await ask(client, 'sync')).toBe('bob')
    expect(wire.length).toBeGreaterThan(0)
    expect(wire.join()).not.toMatch(/ann|news|more/)
    expect(client.id).toBe(fresh.id)
    expect(app.io.sockets.adapter.sids.size).toBe(1)
    expect((app.io.of('/') as unknown as { _preConnectSockets: Map<string, unknown> })._preConnectSockets.size).toBe(0)
  })

  test('without its cookie, where none is required, nothing of the session is given back', async () => {
    const { app, headers, client, socket } = await lose(skipMiddlewares, { required: false })
    const wire = wiretap(client)
    const again = next<Socket>(app.io, 'connection')
    await cut(client, socket, () => miss(app))
    delete headers.cookie
    client.connect()
    const fresh = await again
    expect(fresh.recovered).toBe(false)
    expect(fresh.id).not.toBe(socket.id)
    expect(fresh.data).toEqual({ secret: 'secret of nobody' })
    expect(await ask(client, 'sync')).toBe('nobody')
    expect(wire.join()).not.toMatch(/ann|news|more/)
  })

  test('a stranger who knows the private id of a client that is back takes nothing from it', async () => {
    const { app, client, socket } = await lose(skipMiddlewares)
    await cut(client, socket, () => {})
    client.connect()
    await ask(client, 'sync')
    const stranger = connect(app.url, await app.login('bob'), { autoConnect: false })
    const { _pid, _lastOffset } = client as unknown as Record<string, string>
    Object.assign(stranger, { _pid, _lastOffset })
    await next(stranger.connect(), 'connect')
    const news = next(client, 'news')
    miss(app)
    expect(await news).toBe('private to ann')
    expect(stranger.id).not.toBe(client.id)
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

  test('a middleware that replaces `data` keeps no packet back', async () => {
    const { app, client, socket } = await lose(skipMiddlewares)
    app.io.use((each, pass) => {
      each.data = { mine: true }
      pass()
    })
    const missed = next(client, 'news')
    const again = next<Socket>(app.io, 'connection')
    await cut(client, socket, () => miss(app))
    client.connect()
    expect(await missed).toBe('private to ann')
    expect((await again).rooms).toContain('room of ann')
  })

  test('what a listener of `connect` emits comes once, after what was missed', async () => {
    const { app, client, socket } = await lose(skipMiddlewares)
    app.io.on('connect', (each) => each.emit('hello'))
    const heard: string[] = []
    client.onAny((event) => heard.push(event))
    await cut(client, socket, () => miss(app))
    client.connect()
    await ask(client, 'sync')
    await ask(client, 'sync')
    expect(heard).toEqual(['news', 'more', 'hello'])
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

  test('with an adapter that takes its time, a stranger is in the room of its own session', async () => {
    const { app, headers, client, socket } = await lose(skipMiddlewares)
    const { adapter } = app.io.sockets
    const addAll = adapter.addAll.bind(adapter)
    adapter.addAll = async (id, rooms) => {
      await turn()
      addAll(id, rooms)
    }
    const again = next<Socket>(app.io, 'connection')
    await cut(client, socket, () => {})
    const bob = await app.login('bob')
    headers.cookie = bob
    client.connect()
    expect([...(await again).rooms]).toContain(app.sessions.room(idOf(bob)))
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

test('where a middleware before the guard replaces `data`, a connection is a new one, with an id that nobody knows', async () => {
  const replace = (app: App) =>
    app.io.use((each, pass) => {
      each.data = { mine: true }
      pass()
    })
  const lost = await lose(false, { before: replace })
  const fresh = await comeBackAsBob(lost)
  expect(fresh).toMatchObject({ recovered: false, data: { mine: true } })
  expect(fresh.id).not.toBe(lost.socket.id)
  expect(fresh.rooms).not.toContain(lost.socket.id)
})

test('a middleware that stands before the guard is not shown what was kept', async () => {
  const seen: unknown[] = []
  const before = (app: App) => {
    app.io.use((socket, pass) => {
      seen.push({ data: { ...socket.data }, rooms: [...socket.rooms] })
      pass()
    })
  }
  const { app, client, socket } = await lose(undefined, { before })
  const again = next<Socket>(app.io, 'connection')
  await cut(client, socket, () => miss(app))
  client.connect()
  expect((await again).data).toEqual({ secret: 'secret of ann' })
  expect(seen).toEqual(Array(2).fill({ data: {}, rooms: [] }))
})

describe('two instances on one server, each with its own store and cookie', () => {
  /** A client of ann and of a team, and the cookie of another team. */
  async function loseTwo(options = {}, team = signedCookie('red', 'team')) {
    const app = await startApp({ io: { connectionStateRecovery: {} } })
    const teams = new session.MemoryStore()
    for (const id of ['red', 'blue']) teams.set(id, { cookie: { originalMaxAge: null } } as session.SessionData)
    const sessions = handshakeSession({ store: teams, secret, name: 'team', ...options }).attach(app.io)
    onTestFinished(() => sessions.close())
    const ann = await app.login()
    const headers = { cookie: `${ann}; ${team}` }
    app.io.on('connection', (socket) => {
      if (socket.recovered) return
      socket.emit('welcome', 1)
    })
    const connection = next<Socket>(app.io, 'connection')
    const client = connect(app.url, undefined, {
      ...{ extraHeaders: headers, transports: ['websocket'], reconnection: true, reconnectionDelay: 5 },
    })
    await next(client, 'welcome')
    const socket = await connection
    socket.data.of = 'red'
    const rooms = { ann: app.sessions.room(idOf(ann)), red: sessions.room('red'), blue: sessions.room('blue') }
    return { app, client, socket, headers, ann, rooms }
  }

  test('the owner of both recovers, and is in the rooms of both', async () => {
    const { app, client, socket, rooms } = await loseTwo()
    const again = next<Socket>(app.io, 'connection')
    await cut(client, socket, () => {})
    client.connect()
    const recovered = await again
    expect(recovered).toMatchObject({ recovered: true, data: { of: 'red' } })
    expect([...recovered.rooms]).toEqual(expect.arrayContaining([rooms.ann, rooms.red]))
  })

  test('the owner of one, where the other is not required, recovers', async () => {
    const { app, client, socket } = await loseTwo({ required: false }, '')
    const again = next<Socket>(app.io, 'connection')
    await cut(client, socket, () => {})
    client.connect()
    expect(await again).toMatchObject({ recovered: true, data: { of: 'red' } })
  })

  test('one that lost one of them is a new connection, with the rooms that it has now and no old data', async () => {
    const { app, client, socket, headers, ann, rooms } = await loseTwo()
    const again = next<Socket>(app.io, 'connection')
    await cut(client, socket, () => {
      headers.cookie = `${ann}; ${signedCookie('blue', 'team')}`
    })
    client.connect()
    const renewed = await again
    expect(renewed.recovered).toBe(false)
    expect(renewed.data).toEqual({})
    expect(new Set(renewed.rooms)).toEqual(new Set([renewed.id, rooms.ann, rooms.blue]))
    expect(app.io.sockets.adapter.sids.size).toBe(1)
  })
})
