/**
 * socketio-jwt on Socket.IO 4, the version of 0.9 and 1.x and the last one: each thing that their own tests assert, with clients of
 * two protocols.
 */
import { createRequire } from 'node:module'
import type { Socket } from 'socket.io-client'
import { describe, expect, test, vi } from 'vitest'
import { type ClientOptions, connect, next } from '../support/app.js'
import { generations, listen, type OldServer, type OldSocket } from './old-server.js'

interface Package {
  authorize(options: object): Parameters<OldServer['use']>[0]
}

const require = createRequire(import.meta.url)
const secret = 'keyboard cat'
const versions = [
  { version: '2.3.5', path: require.resolve('socketio-jwt') },
  { version: '4.6.2', path: require.resolve('socketio-jwt-4') },
]
/** Of `{ "alg": "none" }`, and without a signature. */
const unsigned = `${base64({ alg: 'none', cty: 'JWT' })}.${base64({ name: 'ann' })}.`

function base64(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

/** What it says to a client that it refuses, or 'connect'. */
function told(client: Socket): Promise<unknown> {
  return new Promise((resolve) => {
    client.on('connect', () => resolve('connect'))
    client.on('connect_error', (error: Error & { data?: unknown }) => resolve(error.data))
    client.on('error' as never, resolve)
  })
}

const rows = versions.flatMap((each) =>
  generations.map(({ version: client, connect }) => ({ ...each, client, connect })),
)

describe.each(rows)('socketio-jwt $version, client $client', ({ path, connect: generation, version }) => {
  const { authorize } = require(path) as Package
  const jwt = createRequire(path)('jsonwebtoken') as { sign(payload: object, secret: string): string }
  const token = jwt.sign({ id: 123, name: 'ann' }, secret)
  const join = (url: string, options?: ClientOptions) => connect(url, undefined, options, generation)
  /** What only the last version has. */
  const testLast = version === '4.6.2' ? test : () => {}

  describe('the token in the handshake', () => {
    async function start(options: object = {}) {
      const { io, url } = await listen()
      io.use(authorize({ secret, handshake: true, ...options }))
      return { io, url }
    }

    test('none, a wrong or an unsigned one: refused, with its message and code', async () => {
      const { io, url } = await start()
      const connected = vi.fn()
      io.on('connection', connected)
      const refused = (text: string, code: string) => expect.objectContaining({ message: text, code })
      expect(await told(join(`${url}?token=boooo`))).toEqual(refused('jwt malformed', 'invalid_token'))
      expect(await told(join(url, { query: { token: unsigned } }))).toEqual(
        refused('jwt signature is required', 'invalid_token'),
      )
      expect(await told(join(url))).toMatchObject({ code: 'credentials_required', type: 'UnauthorizedError' })
      expect(connected).not.toHaveBeenCalled()
    })

    test('in the query, or in a header: let in, with what it says', async () => {
      const { io, url } = await start()
      for (const options of [{ query: { token } }, { extraHeaders: { Authorization: `Bearer ${token}` } }]) {
        const connection = next<OldSocket & { decoded_token: object }>(io, 'connection')
        expect(await told(join(url, options))).toBe('connect')
        expect((await connection).decoded_token).toMatchObject({ name: 'ann' })
      }
    })

    testLast('auth_header_required: in the query it does not count', async () => {
      const { url } = await start({ auth_header_required: true })
      expect(await told(join(url, { extraHeaders: { Authorization: `Bearer ${token}` } }))).toBe('connect')
      expect(await told(join(url, { query: { token } }))).toMatchObject({
        message: 'Server requires Authorization Header',
        code: 'missing_authorization_header',
      })
    })

    testLast('a function that finds the secret', async () => {
      const find = (_request: object, { id }: { id: number }, done: (error: null, secret: string) => void) =>
        done(null, id === 123 ? secret : 'another')
      const { url } = await start({ secret: find })
      expect(await told(join(url, { query: { token } }))).toBe('connect')
      expect(await told(join(`${url}?token=boooo`))).toMatchObject({ message: 'jwt malformed', code: 'invalid_token' })
      expect(await told(join(url, { query: { token: unsigned } }))).toMatchObject({
        message: 'jwt signature is required',
      })
    })
  })

  describe('the token in an event', () => {
    /** Answers `echo` to those who are authenticated. */
    function serve(namespace: OldServer['sockets'], options: object = {}): void {
      namespace.on('connection', authorize({ secret, timeout: 100, ...options }) as never)
      namespace.on(
        'authenticated' as never,
        ((socket: OldSocket) => {
          socket.on('echo', (text) => socket.emit('echo-response', text))
          socket.emit('hi admin')
        }) as never,
      )
    }

    test('who does not show it is heard by nobody, and closed', async () => {
      const { io, url } = await listen()
      serve(io.sockets)
      const client = join(url)
      const answered = vi.fn()
      client.on('echo-response', answered)
      client.emit('echo', 'hello')
      await next(client, 'disconnect')
      expect(answered).not.toHaveBeenCalled()
    })

    test('who does is authenticated: told to the client and to this process, and to nobody else', async () => {
      const { io, url } = await listen()
      serve(io.sockets, { timeout: 10_000 })
      const other = join(url)
      await next(other, 'connect')
      const heard = vi.fn()
      other.on('authenticated', heard)
      const client = join(url)
      client.emit('authenticate', { token })
      await next(client, 'authenticated')
      client.emit('echo', 'hello')
      expect(await next(client, 'echo-response')).toBe('hello')
      const last = next(other, 'last')
      io.sockets.emit('last')
      await last
      expect(heard).not.toHaveBeenCalled()
    })

    testLast('a wrong one: unauthorized', async () => {
      const { io, url } = await listen()
      serve(io.sockets, {
        secret: (_: object, _token: object, done: (...args: unknown[]) => void) => done(null, secret),
      })
      const client = join(url)
      client.emit('authenticate', { token: `${token}x` })
      expect(await next(client, 'unauthorized')).toMatchObject({ data: { type: 'UnauthorizedError' } })
    })

    test('namespaces: one in the open, one by event, one by handshake', async () => {
      const { io, url } = await listen()
      io.on('connection', (socket) => void socket.emit('hi'))
      serve(io.of('/admin'))
      io.of('/admin_hs').use(authorize({ secret, handshake: true }))
      io.of('/admin_hs').on('connection', (socket) => void socket.emit('hi admin'))
      await next(join(url), 'hi')
      const stranger = join(`${url}/admin`)
      const greeted = vi.fn()
      stranger.on('hi admin', greeted)
      await next(stranger, 'disconnect')
      expect(await told(join(`${url}/admin_hs`))).toMatchObject({ type: 'UnauthorizedError' })
      expect(greeted).not.toHaveBeenCalled()
      const friend = join(`${url}/admin`)
      friend.emit('authenticate', { token })
      await next(friend, 'hi admin')
      await next(join(`${url}/admin_hs`, { query: { token } }), 'hi admin')
    })
  })
})

test('a namespace on a connection that is there: the query of a client up to 2.x is that of the namespace', async () => {
  const { authorize } = require('socketio-jwt-4') as Package
  const jwt = createRequire(require.resolve('socketio-jwt-4'))('jsonwebtoken')
  const { io, url } = await listen()
  io.of('/admin_hs').use(authorize({ secret, handshake: true }))
  io.of('/admin_hs').on('connection', (socket) => void socket.emit('hi admin'))
  const old = generations.find(({ version }) => version === '2.5')
  const first = connect(url, undefined, { forceNew: false }, old?.connect)
  await next(first, 'connect')
  const query = { token: jwt.sign({ name: 'ann' }, secret) }
  const second = connect(`${url}/admin_hs`, undefined, { forceNew: false, query }, old?.connect)
  await next(second, 'hi admin')
  expect(second.io).toBe(first.io)
})
