/**
 * An authorizer that the app wrote itself: what it reads on `data`, where what it sets there arrives, and how the session
 * that it read from its store becomes a live one.
 */
import { type EventEmitter, once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import session from 'express-session'
import { SessionRegistry } from 'handshake-session/internals'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type ClientOptions, connect, next } from '../support/app.js'
import { storeWithAnn } from './handshakes.js'
import { fate, generations, join, listen, type OldSocket } from './old-server.js'

type Answer = (error: unknown, allowed?: boolean) => void
type Request = IncomingMessage & {
  _query: Record<string, string>
  res: { setHeader(name: string, value: string): void }
}
type Data = Record<string, unknown> & Request & { query: Record<string, string>; xdomain: boolean; issued: number }
type Place = Record<string, unknown>
type OldSession = session.Session & Record<string, unknown>
type Session = new (request: object, record: object) => OldSession

const [{ connect: newest }] = generations as [(typeof generations)[number]]
const { Session } = session as unknown as { Session: Session }

/** What apps did with the record that they had read: the tutorial of 2011, Connect's way, express-session's way, and none. */
const ways: [way: string, put: (data: Data, record: session.SessionData, store: session.Store) => void][] = [
  ['new Session', (data, record) => void Object.assign(data, { session: new Session(data, record) })],
  ['createSession', (data, record, store) => void store.createSession(data as never, record)],
  ['plain record', (data, record) => void Object.assign(data, { session: record })],
]

function authorizer(store: session.Store, put: (typeof ways)[number][1]) {
  return (data: Data, accept: Answer) => {
    Object.assign(data, { sessionStore: store, sessionID: 'ann-id' })
    store.get('ann-id', (error, record) => {
      if (error || !record) return accept(error, false)
      put(data, record, store)
      accept(null, true)
    })
  }
}

function save(store: session.Store, data: object): Promise<void> {
  const record = { user: 'ann', cookie: { originalMaxAge: null }, ...data } as session.SessionData
  return new Promise((resolve) => store.set('ann-id', record, () => resolve()))
}

const read = (store: session.Store) => new Promise((resolve) => store.get('ann-id', (_, record) => resolve(record)))
const sessionOf = ({ handshake }: { handshake: object }) => (handshake as { session: OldSession }).session

test('a session that has ended lets in to no further namespace, while the connection waits for a response to be closed', async () => {
  const store = storeWithAnn()
  const registry = SessionRegistry.join(store)
  onTestFinished(() => registry.leave())
  const { io, url } = await listen()
  const put = (data: Data, record: session.SessionData) => void Object.assign(data, { session: record })
  io.set('authorization', authorizer(store, put))
  io.of('/a').authorization(((_data: Data, accept: Answer) => accept(null, true)) as never)
  const [client] = await join(io, url, newest)
  registry.endings.begin('ann-id', 'destroyed', new Promise(() => {}))
  await expect(next(client.io.socket('/a'), 'connect')).rejects.toMatchObject({ message: 'unauthorized' })
})

describe.each(generations)('client $version', ({ connect: generation }) => {
  test('what it sets is on handshake and request, in every namespace', async () => {
    const { io, url } = await listen()
    io.set('authorization', (data: Data, accept: Answer) => {
      setImmediate(() => {
        data['decoded_token'] = { name: 'ann' }
        accept(null, true)
        data['logged_in'] = true
      })
    })
    const inA = next<{ handshake: object; request: object }>(io.of('/a'), 'connection')
    const [{ io: manager }, socket] = await join(io, url, generation)
    manager.socket('/a')
    const places = [
      socket.handshake,
      socket.request,
      socket.client.request,
      socket.conn.request,
      await inA.then((a) => a.request),
    ]
    for (const place of places) {
      expect((place as unknown as Place)['decoded_token']).toEqual({ name: 'ann' })
      expect((place as unknown as Place)['logged_in']).toBe(true)
    }
  })

  test('it reads the handshake of 0.9, and the request of 1.x', async () => {
    const { io, url } = await listen()
    const seen = vi.fn()
    io.set('authorization', (data: Data, accept: Answer) => {
      const address = data['address'] as unknown as { address: string; port: number } & string
      data.res.setHeader('x-old', '1')
      seen({
        token: [data.query['token'], data._query['token']],
        address: [
          address.address,
          `${address}`,
          address.indexOf('127'),
          address.split('.').length,
          JSON.stringify(address),
        ],
        port: [address.port, data.connection.remotePort],
        request: [data.method, data.httpVersion, data.socket.remoteAddress, data.connection === data.socket],
        face: [
          data.url?.includes('token=t'),
          data.xdomain,
          typeof data.issued,
          typeof data['time'],
          Boolean(data['secure']),
        ],
      })
      accept(null, true)
    })
    const client = connect(url, undefined, { query: { token: 't' } }, generation)
    expect(await fate(client)).toBe('connect')
    const [{ port, ...others }] = seen.mock.lastCall ?? [{ port: [] }]
    expect(others).toEqual({
      token: ['t', 't'],
      address: ['127.0.0.1', '127.0.0.1', 0, 4, JSON.stringify({ address: '127.0.0.1', port: port[0] })],
      request: ['GET', '1.1', '127.0.0.1', true],
      face: [true, false, 'number', 'string', false],
    })
    expect(port).toEqual([expect.any(Number), port[0]])
  })

  test.each(ways)('%s: the live session, saved by key, closed by a logout', async (_, put) => {
    const store = storeWithAnn()
    const { io, url } = await listen()
    io.set('authorization', authorizer(store, put))
    const [client, socket] = await join(io, url, generation)
    const live = sessionOf(socket)
    expect((socket.request as unknown as Place)['session']).toBe(live)
    await save(store, { count: 7 })
    expect(live).toMatchObject({ user: 'ann', count: 7 })
    live['seen'] = true
    await new Promise((resolve) => live.save(resolve))
    expect(await read(store)).toMatchObject({ user: 'ann', count: 7, seen: true })
    const closed = next(client, 'disconnect')
    store.destroy('ann-id')
    expect(await closed).toBe('transport close')
    await new Promise((resolve) => live.save(resolve))
    expect(await read(store)).toBeUndefined()
  })
})

test('destroyed while it was still working: refused', async () => {
  const store = storeWithAnn()
  const { io, url } = await listen()
  const decide = authorizer(store, (data, record) => void Object.assign(data, { session: new Session(data, record) }))
  io.set('authorization', (data: Data, accept: Answer) =>
    decide(data, (error, allowed) => store.destroy('ann-id', () => accept(error, allowed))),
  )
  expect(await fate(connect(url))).toBe('handshake unauthorized')
})

test('refused by it: no session is opened', async () => {
  const store = storeWithAnn()
  const get = vi.spyOn(store, 'get')
  const { io, url } = await listen()
  io.set('authorization', (data: Data, accept: Answer) => {
    Object.assign(data, { sessionStore: store, sessionID: 'ann-id', session: { cookie: {} } })
    accept(null, false)
  })
  expect(await fate(connect(url))).toBe('handshake unauthorized')
  expect(get).not.toHaveBeenCalled()
})

test('namespace.authorization: its session is held, too', async () => {
  const store = storeWithAnn()
  const { io, url } = await listen()
  io.of('/a').authorization(authorizer(store, (data, record) => void Object.assign(data, { session: record })) as never)
  const entered = next<{ handshake: object }>(io.of('/a'), 'connection')
  const client = connect(`${url}/a`)
  const live = sessionOf(await entered)
  await save(store, { count: 1 })
  expect(live).toMatchObject({ count: 1 })
  const closed = next(client, 'disconnect')
  store.destroy('ann-id')
  expect(await closed).toBe('transport close')
})

test.each(ways)('%s: a client that joins again and again is one listener of its connection', async (_, put) => {
  const store = storeWithAnn()
  const { io, url } = await listen()
  const authorize = vi.fn(authorizer(store, put))
  io.set('authorization', authorize)
  for (const name of ['/a', '/b']) io.of(name).authorization(authorize as never)
  const transports = ['websocket']
  const [client, { conn }] = await join(io, url, (at, options) => newest(at, { ...options, transports }))
  const before = conn.listenerCount('close')
  const sessions = new Set<OldSession>()
  for (const name of ['/a', '/b', '/a', '/a', '/b']) {
    const entered = next<OldSocket>(io.of(name), 'connection')
    const socket = client.io.socket(name)
    const there = await entered
    sessions.add(sessionOf(there))
    await (socket.connected || next(socket, 'connect'))
    const left = next(there, 'disconnect')
    socket.disconnect()
    await left
  }
  expect(authorize).toHaveBeenCalledTimes(6)
  expect(sessions.size).toBe(1)
  expect(conn.listenerCount('close')).toBe(before)
  const closed = next(client, 'disconnect')
  store.destroy('ann-id')
  expect(await closed).toBe('transport close')
})

test('of another session on the same connection: held as well', async () => {
  const store = storeWithAnn()
  store.set('bob-id', { user: 'bob', cookie: { originalMaxAge: null } } as session.SessionData)
  const { io, url } = await listen()
  io.set(
    'authorization',
    authorizer(store, (data, record) => void Object.assign(data, { session: record })),
  )
  io.of('/a').authorization(((data: Data, accept: Answer) => {
    Object.assign(data, { sessionID: 'bob-id', session: { cookie: {} } })
    accept(null, true)
  }) as never)
  const [client] = await join(io, url, newest)
  const entered = next<{ handshake: object }>(io.of('/a'), 'connection')
  client.io.socket('/a')
  expect(sessionOf(await entered)).toMatchObject({ user: 'bob' })
  const closed = next(client, 'disconnect')
  store.destroy('bob-id')
  expect(await closed).toBe('transport close')
})

test('a connection that is lost while its authorizer works: nothing is held for it', async () => {
  const store = storeWithAnn()
  const registry = SessionRegistry.join(store)
  onTestFinished(() => registry.leave())
  const { io, url } = await listen()
  const decide = authorizer(store, (data, record) => void Object.assign(data, { session: record }))
  let conn: EventEmitter | undefined
  io.engine.on('connection', (made: EventEmitter) => {
    conn = made
  })
  const answered = new Promise<void>((resolve) => {
    io.set('authorization', (data: Data, accept: Answer) => {
      conn?.once('close', () => {
        decide(data, (...answer) => {
          accept(...answer)
          resolve()
        })
      })
      client.disconnect()
    })
  })
  const client = connect(url)
  await answered
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  expect(registry.sessions.size).toBe(0)
})

test('a logout from before the store is watched: noticed when the session is read again', async () => {
  const store = storeWithAnn()
  let finish = () => {}
  const destroy = store.destroy.bind(store)
  store.destroy = (id, done) => {
    finish = () => destroy(id, done)
  }
  const { io, url } = await listen()
  io.set(
    'authorization',
    authorizer(store, (data, record) => void Object.assign(data, { session: record })),
  )
  const loggedOut = new Promise((resolve) => store.destroy('ann-id', resolve))
  const [client, socket] = await join(io, url, newest)
  finish()
  await loggedOut
  const closed = next(client, 'disconnect')
  expect(socket.connected).toBe(true)
  // Instead of the 60 seconds.
  const registry = SessionRegistry.join(store, { recheck: 10 })
  onTestFinished(() => registry.leave())
  expect(await closed).toBe('transport close')
})

test('a session of an unknown store stays as it is, with one warning', async () => {
  const { io, url } = await listen()
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  io.set('authorization', (data: Data, accept: Answer) => {
    data['session'] = { user: 'ann', cookie: {} }
    accept(null, true)
  })
  for (const _ of [1, 2]) {
    const [, socket] = await join(io, url, newest)
    expect(sessionOf(socket)).toEqual({ user: 'ann', cookie: {} })
  }
  expect(warn).toHaveBeenCalledOnce()
  expect(warn.mock.lastCall?.[0]).toContain('Set data.sessionStore and data.sessionID')
  warn.mockRestore()
})

describe('which session it is', () => {
  /** A client that is let in by an authorizer which leaves this; or the text of the refusal. */
  async function enter(left: object, store = storeWithAnn(), options: ClientOptions = {}) {
    const { io, url } = await listen()
    io.set('authorization', (data: Data, accept: Answer) => {
      Object.assign(data, left)
      accept(null, true)
    })
    const connection = next<OldSocket>(io.sockets, 'connection')
    const client = connect(url, undefined, options)
    return { told: await fate(client), store, client, connection }
  }
  const byHand = (of: object, id = 'ann-id') =>
    new Session({ sessionID: id, ...of }, { cookie: { originalMaxAge: null } })

  test('a Session says so itself, whatever is beside it', async () => {
    const [store, another] = [storeWithAnn(), storeWithAnn()]
    const session = byHand({ sessionStore: store })
    const { client, connection } = await enter({ session, sessionID: 'another', sessionStore: another })
    expect(sessionOf(await connection)).toMatchObject({ id: 'ann-id', user: 'ann' })
    const closed = next(client, 'disconnect')
    store.destroy('ann-id')
    expect(await closed).toBe('transport close')
  })

  test.each([[undefined], [''], [7], [{ toString: () => 'ann-id' }]])('no id: %j', async (sessionID) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const store = storeWithAnn()
    const get = vi.spyOn(store, 'get')
    const session = { cookie: {} }
    const { connection } = await enter({ session, sessionID, sessionStore: store })
    expect(sessionOf(await connection)).toBe(session)
    expect(get).not.toHaveBeenCalled()
  })

  test.each([['text'], [{ user: 'ann' }], [{ cookie: 'text' }], [undefined]])(
    'no session at all: %j',
    async (session) => {
      const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
      onTestFinished(() => warn.mockRestore())
      const store = storeWithAnn()
      const get = vi.spyOn(store, 'get')
      const { connection } = await enter({ ...(session && { session }), sessionID: 'ann-id', sessionStore: store })
      const { handshake, request } = await connection
      expect(sessionOf({ handshake })).toBe(session)
      expect('session' in request).toBe(session !== undefined)
      expect(get).not.toHaveBeenCalled()
      expect(warn).not.toHaveBeenCalled()
    },
  )

  test('of a store that fails: refused', async () => {
    const store = storeWithAnn()
    vi.spyOn(store, 'get').mockImplementation((_id, done) => done(new Error('down')))
    const { told } = await enter({ session: { cookie: {} }, sessionID: 'new-id', sessionStore: store }, store)
    expect(told).toBe('handshake unauthorized')
  })

  test('it ended just now, and was empty: refused', async () => {
    const store = storeWithAnn()
    const registry = SessionRegistry.join(store)
    onTestFinished(() => registry.leave())
    await new Promise<void>((done) => store.destroy('new-id', () => done()))
    const { told } = await enter({ session: { cookie: {} }, sessionID: 'new-id', sessionStore: store }, store)
    expect(told).toBe('handshake unauthorized')
  })

  test.each<[string, string, ClientOptions, boolean]>([
    ['nobody', 'new-id', {}, false],
    ['the cookie', 'new-id', { extraHeaders: { cookie: 'connect.sid=s%3Anew-id.x' } }, true],
    ['the cookie, encoded', 'new-id', { extraHeaders: { cookie: 'connect.sid=s%3Anew%2Did.x%' } }, true],
    ['another header', 'new-id', { extraHeaders: { 'x-session': 'new-id' } }, true],
    ['the query', 'new-id', { query: { session: 'new-id' } }, true],
    ['a header, with a % in it', 'new%2Did', { extraHeaders: { 'x-session': 'new%2Did' } }, true],
  ])('an empty one that is in no store, whose id is brought by %s', async (_, sessionID, options, isRefused) => {
    const store = storeWithAnn()
    const left = { session: { cookie: {} }, sessionID, sessionStore: store }
    const { told } = await enter(left, store, { transports: ['websocket'], ...options })
    expect(told).toBe(isRefused ? 'handshake unauthorized' : 'connect')
  })

  test('with something in it, and in no store: refused', async () => {
    const session = { cookie: {}, user: 'ann' }
    const { told } = await enter({ session, sessionID: 'new-id', sessionStore: storeWithAnn() })
    expect(told).toBe('handshake unauthorized')
  })

  test('it is let go of when the client leaves', async () => {
    const store = storeWithAnn()
    const registry = SessionRegistry.join(store)
    onTestFinished(() => registry.leave())
    const { client, connection } = await enter({ session: { cookie: {} }, sessionID: 'ann-id', sessionStore: store })
    const { conn } = await connection
    expect(registry.at('ann-id').isHeld).toBe(true)
    const closed = once(conn as unknown as EventEmitter, 'close')
    client.disconnect()
    await closed
    expect(registry.at('ann-id').isHeld).toBe(false)
  })
})
