/**
 * `io.set` of Socket.IO 1.x, what apps could rely on (K in LEGACY.md (e)): each case runs on the real Socket.IO 1.7 and on
 * the shim, with the same expectation.
 */
import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import socketIO from 'handshake-session/compat/socket.io'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type ClientOptions, connect, next } from '../support/app.js'
import { clients } from '../support/clients.js'
import { fate } from './old-server.js'

/** What both have of a server. */
interface Server {
  set(key: string, value: unknown): unknown
  attach(server: HttpServer): unknown
  on(event: 'connection', listener: (socket: ServerSocket) => void): unknown
  close(): unknown
}

interface ServerSocket {
  request: { session?: unknown }
  on(event: string, listener: (text: string) => void): unknown
  emit(event: string, value: unknown): unknown
}

interface Handshake {
  headers: { cookie?: string; host: string }
  url: string
  session?: unknown
}

type Answer = (error?: unknown, authorized?: unknown) => void
type Authorize = (handshake: Handshake, answer: Answer) => void

const original = createRequire(import.meta.url)('socket.io-1') as () => Server
const servers: { on: string; make: () => Server }[] = [
  { on: 'original', make: () => original() },
  { on: 'shim', make: () => socketIO({ errorStyle: '1.x' }) as Server },
]
const spokenByBoth = clients.filter(({ eio3 }) => eio3)
const rows = servers.flatMap((server) => spokenByBoth.map((client) => ({ ...server, ...client })))

describe.each(rows)('K on the $on, client $version', ({ make, connect: generation }) => {
  /** A server on its port; `early` is set before it is attached, as `resource` had to be. */
  async function start(early: Record<string, unknown> = {}) {
    const [io, server, connected] = [make(), createServer(), vi.fn<(socket: ServerSocket) => void>()]
    for (const [key, value] of Object.entries(early)) io.set(key, value)
    io.attach(server)
    io.on('connection', connected)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void io.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { io, connected, client: (options?: ClientOptions) => connect(url, 'a=b', options, generation) }
  }

  test.each<[string, Authorize, string]>([
    ['(null, true)', (_, answer) => answer(null, true), 'connect'],
    ['(null, true), later', (_, answer) => setImmediate(answer, null, true), 'connect'],
    ['(null, 1)', (_, answer) => answer(null, 1), 'connect'],
    ['(null, false)', (_, answer) => answer(null, false), 'Not authorized'],
    ['()', (_, answer) => answer(), 'Not authorized'],
    ['(Error)', (_, answer) => answer(new Error('db down')), 'Error: db down'],
    ['(string, true)', (_, answer) => answer('no cookie', true), 'no cookie'],
  ])('authorization answers %s', async (_, authorize, told) => {
    const { io, connected, client } = await start()
    io.set('authorization', authorize)
    expect(await fate(client())).toBe(told)
    expect(connected).toHaveBeenCalledTimes(told === 'connect' ? 1 : 0)
  })

  test('authorization is asked for each connection, with its headers and url', async () => {
    const { io, client } = await start()
    const asked: Handshake[] = []
    io.set('authorization', (handshake: Handshake, answer: Answer) => {
      asked.push(handshake)
      answer(null, true)
    })
    for (const count of [1, 2]) {
      expect(await fate(client({ query: { count } }))).toBe('connect')
      expect(asked).toHaveLength(count)
    }
    expect(asked[0]).not.toBe(asked[1])
    expect(asked[1]?.headers.cookie).toBe('a=b')
    expect(asked[1]?.url).toMatch(/^\/socket\.io\/\?.*count=2/)
  })

  test('session, set by an authorizer, is on socket.request', async () => {
    const { io, connected, client } = await start()
    io.set('authorization', (handshake: Handshake, answer: Answer) => {
      handshake.session = { user: 'ann' }
      answer(null, true)
    })
    await fate(client())
    expect(connected.mock.lastCall?.[0].request.session).toEqual({ user: 'ann' })
  })

  test('a falsy authorization asks nobody', async () => {
    const silenced = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => silenced.mockRestore())
    const { io, client } = await start()
    expect(io.set('authorization', undefined)).toBe(io)
    expect(await fate(client())).toBe('connect')
  })

  test.each([
    ['authorization', () => {}],
    ['origins', '*:*'],
    ['resource', '/chat'],
    ['transports', ['polling']],
    ['heartbeat timeout', 60_000],
    ['heartbeat interval', 25_000],
    ['destroy buffer size', 1_000_000],
  ])('set(%j, …) returns the server', async (key, value) => {
    const { io } = await start()
    expect(io.set(key, value)).toBe(io)
  })

  test.each([
    ['*:*', 'http://a.example', true],
    ['a.example:80', 'http://a.example', true],
    ['a.example:80', 'http://a.example:81', false],
    ['a.example:443', 'https://a.example', true],
    ['b.example:* *:81', 'http://a.example:81', true],
    ['b.example:* *:81', 'https://b.example', true],
    ['b.example:* *:81', 'http://a.example', false],
    [['a.example:80', 'b.example:80'], 'http://b.example', true],
    [(origin: string, answer: Answer) => answer(null, origin === 'http://a.example'), 'http://a.example', true],
    [(origin: string, answer: Answer) => answer(null, origin === 'http://a.example'), 'http://b.example', false],
  ])('origins %j, a page of %s: %s', async (origins, origin, allowed) => {
    const { io, connected, client } = await start()
    io.set('origins', origins)
    const told = await fate(client({ transports: ['websocket'], extraHeaders: { origin } }))
    expect(told === 'connect').toBe(allowed)
    expect(connected).toHaveBeenCalledTimes(allowed ? 1 : 0)
  })

  test.each(['/chat', '/chat/'])('resource %j, set before attach, is the path', async (resource) => {
    const { client } = await start({ resource })
    expect(await fate(client({ path: '/chat' }))).toBe('connect')
    expect(await fate(client({ path: '/chat', transports: ['websocket'] }))).toBe('connect')
  })

  test('transports: the others are refused', async () => {
    const { io, client } = await start()
    io.set('transports', ['polling'])
    expect(await fate(client({ transports: ['websocket'] }))).toBe('websocket error')
    expect(await fate(client({ transports: ['polling'] }))).toBe('connect')
  })

  test('heartbeat timeout and interval, in ms: what clients are told', async () => {
    const { io, client } = await start()
    io.set('heartbeat timeout', 61_000)
    io.set('heartbeat interval', 26_000)
    const joined = client()
    await fate(joined)
    expect(joined.io.engine).toMatchObject({ pingTimeout: 61_000, pingInterval: 26_000 })
  })

  test('destroy buffer size: what is larger ends the connection', async () => {
    const { io, connected, client } = await start()
    io.set('destroy buffer size', 10_000)
    const joined = client({ transports: ['polling'] })
    await fate(joined)
    const socket = connected.mock.lastCall?.[0]
    socket?.on('text', (text) => socket.emit('size', text.length))
    joined.emit('text', 'x'.repeat(5_000))
    expect(await next(joined, 'size')).toBe(5_000)
    joined.emit('text', 'x'.repeat(20_000))
    await next(joined, 'disconnect')
  })
})
