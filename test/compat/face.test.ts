/**
 * The rest of the old face: `listen`, settings, `configure`, `clients`, data on sockets.
 */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import socketIO from 'handshake-session/compat/socket.io'
import { Server } from 'socket.io'
import request from 'supertest'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { connect, next } from '../support/app.js'
import { fate, generations, join, listen, type Options } from './old-server.js'

type Handler = Parameters<typeof createServer>[1]

describe('ways to make a server', () => {
  const { Server: OldServer } = socketIO
  test.each([
    ['called', () => socketIO()],
    ['called with new', () => new (socketIO as unknown as typeof Server)()],
    ['new Server', () => new OldServer()],
    ['called with options', () => socketIO({ path: '/elsewhere' })],
    ['legacy(io)', () => socketIO.legacy(new Server())],
  ])('%s: a Socket.IO 4 server with the old face', (_, make) => {
    const io = make()
    expect(io).toBeInstanceOf(Server)
    expect(io).toMatchObject({ set: expect.any(Function), clients: expect.any(Function) })
  })

  test('legacy is idempotent, and wants a Socket.IO 4 server', () => {
    const io = socketIO.legacy(new Server())
    const { set } = io
    expect(socketIO.legacy(io)).toBe(io)
    expect(io.set).toBe(set)
    expect(() => socketIO.legacy({} as Server)).toThrow('expected a Server of Socket.IO 4')
  })

  test('listen(port, fn) calls fn when it listens', async () => {
    const io = await new Promise<ReturnType<typeof socketIO.listen>>((resolve) => {
      const made = socketIO.listen(0, () => resolve(made))
    })
    onTestFinished(() => io.close())
    expect(io.httpServer.listening).toBe(true)
  })

  test('listen(server, fn) leaves fn alone, as ever', async () => {
    const [server, ready] = [createServer(), vi.fn()]
    const io = socketIO.listen(server, ready)
    onTestFinished(() => io.close())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    expect(ready).not.toHaveBeenCalled()
  })

  test('listen(port, { key, … }) is HTTPS', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const io = socketIO.listen(0, { key: privateKey.export({ type: 'pkcs8', format: 'pem' }) } as Options)
    onTestFinished(() => io.close())
    expect(io.httpServer).toBeInstanceOf(SecureServer)
  })

  test('no target at all, and a wrong timeout', () => {
    expect(socketIO(null as never)).toBeInstanceOf(Server)
    expect(() => socketIO({ timeout: -1 })).toThrow('expected milliseconds')
  })

  test('namespaces that are there before legacy(io) have the face', () => {
    const io = new Server()
    const namespaces = [io.of('/a'), io.sockets]
    socketIO.legacy(io)
    for (const namespace of namespaces) {
      expect(namespace).toMatchObject({ authorization: expect.any(Function), clients: expect.any(Function) })
    }
  })

  test('a server that was made here is as it should be: legacy(io) changes nothing', () => {
    const io = socketIO()
    const { set } = io
    expect(socketIO.legacy(io).set).toBe(set)
  })

  test('listen wants a server or a port', () => {
    const app: Handler = () => {}
    expect(() => socketIO.listen(app as never)).toThrow('Please pass a http.Server instance')
    expect(() => socketIO.listen(undefined as never)).toThrow('expected an http.Server or a port')
  })
})

describe('settings', () => {
  test('set, get, enable, disable, enabled, disabled', () => {
    const io = socketIO()
    expect(io.set('mine', 7)).toBe(io)
    expect([io.get('mine'), io.set('mine'), io.get('yours')]).toEqual([7, 7, undefined])
    expect(io.enable('a').disable('b')).toBe(io)
    expect([io.enabled('a'), io.disabled('a'), io.enabled('b'), io.disabled('b')]).toEqual([true, false, false, true])
  })

  test('set:<key> is heard here, and sent to nobody', async () => {
    const { io, url } = await listen()
    const heard = vi.fn()
    const received = vi.fn()
    io.on('set:mine', heard)
    const [client, socket] = await join(io, url, generations[0]?.connect as never)
    client.onAny(received)
    io.set('mine', 7)
    expect(heard).toHaveBeenCalledExactlyOnceWith(7, 'mine')
    socket.emit('after')
    await next(client, 'after')
    expect(received.mock.calls).toEqual([['after']])
  })

  test('configure runs for its environment, with the server as this', () => {
    const io = socketIO()
    const ran: unknown[] = []
    const note = (name: string) =>
      function (this: unknown) {
        ran.push([name, this])
      }
    io.configure(note('all'))
      .configure(process.env['NODE_ENV'] ?? 'development', note('this'))
      .configure('no', note('no'))
    expect(ran).toEqual([
      ['all', io],
      ['this', io],
    ])
  })

  test.each([
    [
      'set',
      async (old: Options) =>
        Object.entries(old).reduce((io, [name, value]) => io.set(name, value), socketIO(createServer())),
    ],
    ['options of listen', async (old: Options) => socketIO.listen(createServer(), old)],
    [
      'set before attach',
      async (old: Options) =>
        Object.entries(old)
          .reduce((io, [name, value]) => io.set(name, value), socketIO())
          .attach(createServer()),
    ],
  ])('take effect by %s', async (_, make) => {
    const io = await make({
      transports: ['websocket', 'flashsocket', 'xhr-polling', 'jsonp-polling'],
      'heartbeat timeout': 60,
      'heartbeat interval': 25_000,
      'destroy buffer size': 5_000,
    } as Options)
    expect(io.engine.opts).toMatchObject({
      transports: ['websocket', 'polling'],
      pingTimeout: 60_000,
      pingInterval: 25_000,
      maxHttpBufferSize: 5_000,
    })
  })

  for (const { version, connect: generation } of generations) {
    test.each(['set', 'options'])(`client ${version}: resource by %s`, async (by) => {
      const { io, url } = await listen((by === 'options' ? { resource: '/chat' } : {}) as Options)
      if (by === 'set') io.set('resource', '/chat')
      expect(await fate(connect(url, undefined, { path: '/chat' }, generation))).toBe('connect')
      expect(await fate(connect(url, undefined, { path: '/chat', transports: ['websocket'] }, generation))).toBe(
        'connect',
      )
      await request(url).get('/chat/socket.io.js').expect(200)
      io.httpServer.on('request', ({ url = '' }, response) => url.startsWith('/socket.io/') || response.end(url))
      expect((await request(url).get('/chatter')).text).toBe('/chatter')
    })

    test(`client ${version}: transports`, async () => {
      const { io, url } = await listen()
      io.set('transports', ['xhr-polling'])
      expect(await fate(connect(url, undefined, { transports: ['websocket'] }, generation))).toContain(
        'websocket error',
      )
      const [client] = await join(io, url, generation)
      expect(client.io.engine.transport.name).toBe('polling')
    })

    test(`client ${version}: destroy buffer size, over WebSocket`, async () => {
      const { io, url } = await listen()
      io.set('destroy buffer size', 3_000_000)
      io.on('connection', (socket) => socket.on('size', (text: string) => socket.emit('size', text.length)))
      const client = connect(url, undefined, { transports: ['websocket'] }, generation)
      client.emit('size', 'x'.repeat(2_000_000))
      expect(await next(client, 'size')).toBe(2_000_000)
    })
  }

  test('by no setting, no other site may ask', async () => {
    const { url } = await listen()
    const { headers } = await request(url).get('/socket.io/?EIO=4&transport=polling').set('origin', 'http://a.example')
    expect(headers).not.toHaveProperty('access-control-allow-origin')
  })

  test('origins on a server that was made without cors: a warning', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warned.mockRestore())
    const io = socketIO.legacy(new Server(createServer()))
    io.set('origins', 'a.example:80')
    expect(warned.mock.lastCall?.[0]).toContain('WebSocket only')
  })

  test('transports that are all gone leave those of Socket.IO', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warned.mockRestore())
    const { io } = await listen({ transports: ['flashsocket'] as never })
    expect(io.engine.opts.transports).toEqual((await listen()).io.engine.opts.transports)
  })

  test('an own setting is kept without a word, whatever its name; a MemoryStore is one', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warned.mockRestore())
    const io = socketIO(createServer())
    for (const name of ['mine', 'toString', 'constructor', '__proto__']) expect(io.set(name, 7).get(name)).toBe(7)
    io.set('store', new (Reflect.get(socketIO, 'MemoryStore'))())
    expect(warned).not.toHaveBeenCalled()
  })

  test('authorization, set again: a warning, if it is another function', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warned.mockRestore())
    const [one, other] = [() => {}, () => {}]
    const io = socketIO()
    io.set('authorization', one).set('authorization', one).set('authorization', false).set('authorization', one)
    expect(warned).not.toHaveBeenCalled()
    io.set('authorization', other)
    expect(warned.mock.lastCall?.[0]).toContain('the last function alone decides')
  })

  test.each([
    ['*:*', 'http://a.example', true],
    ['a.example:80', 'http://a.example', true],
    ['a.example:80', 'http://a.example:81', false],
    ['b.example:* *:81', 'http://a.example:81', true],
    ['b.example:* *:81', 'https://b.example', true],
    ['b.example:* *:81', 'http://a.example', false],
    [['https://a.example'], 'https://a.example', true],
    [['https://a.example'], 'http://a.example', false],
    ['a.example', 'http://a.example:81', false],
    ['a.example:80', 'null', false],
    ['*:*', 'null', true],
    [(_: unknown, answer: (error: null, allowed: boolean) => void) => answer(null, true), 'http://a.example', true],
  ])('origins %o, a page of %s: %s', async (origins, origin, allowed) => {
    const { io, url } = await listen()
    io.set('origins', origins)
    const { headers } = await request(url).get('/socket.io/?EIO=4&transport=polling').set('origin', origin)
    expect(headers['access-control-allow-origin']).toBe(allowed ? origin : undefined)
    const client = connect(url, undefined, { transports: ['websocket'], extraHeaders: { origin } })
    expect(await fate(client)).toBe(allowed ? 'connect' : 'handshake bad origin')
  })

  test('browser client: not served', async () => {
    const { url } = await listen({ 'browser client': false } as Options)
    await request(url).get('/socket.io/socket.io.js').expect(400)
  })

  test.each([
    ['log level', 1, 'DEBUG=socket.io*'],
    ['flash policy port', 843, 'Flash is gone'],
    ['transports', ['flashsocket'], 'means nothing'],
    ['heartbeat timeout', 'soon', 'means nothing'],
    ['heartbeat interval', 0, 'means nothing'],
    ['resource', 7, 'means nothing'],
    ['browser client', false, 'pass it to listen()'],
  ])('%s: one warning, which says what to do', async (name, value, advice) => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warned.mockRestore())
    const { io } = await listen()
    io.set(name, value).set(name, value)
    expect(warned).toHaveBeenCalledOnce()
    expect(warned.mock.lastCall?.[0]).toContain(`'${name}'`)
    expect(warned.mock.lastCall?.[0]).toContain(advice)
  })
})

describe.each(generations)('sockets, client $version', ({ connect: generation }) => {
  test('clients(room): arrays of sockets', async () => {
    const { io, url } = await listen()
    const [, ann] = await join(io, url, generation)
    const [, bob] = await join(io, url, generation)
    await ann.join('room')
    expect(io.sockets.clients('room')).toEqual([ann])
    expect(io.clients()).toEqual([ann, bob])
    expect(io.of('/a').clients()).toEqual([])
    expect(io.sockets.clients('nobody')).toEqual([])
    expect(io.sockets.clients('')).toEqual([ann, bob])
    bob.join(5 as never)
    expect(io.sockets.clients(5 as never)).toEqual([bob])
    // Of a client that has just left, or of another node.
    io.sockets.adapter.addAll('nobody', new Set(['room']))
    expect(io.sockets.clients('room')).toEqual([ann])
  })

  test('set, get, has, del: at once, for all namespaces of the connection', async () => {
    const { io, url } = await listen()
    const inA = next<typeof socket>(io.of('/a'), 'connection')
    const [client, socket] = await join(io, url, generation)
    client.io.socket('/a')
    const other = await inA
    const callback = vi.fn()
    expect(socket.set('name', 'ann', callback)).toBe(socket)
    expect(other.get('name', callback)).toBe(other)
    expect(socket.has('name', callback).has('toString', callback)).toBe(socket)
    expect(socket.del('name', callback).get('name', callback).get('name')).toBe(socket)
    expect(callback.mock.calls).toEqual([[null], [null, 'ann'], [null, true], [null, false], [null], [null, null]])
    const [, stranger] = await join(io, url, generation)
    stranger.get('name', callback)
    expect(callback).toHaveBeenLastCalledWith(null, null)
  })
})

test('a server of legacy(io), with old and new middlewares', async () => {
  const server = createServer()
  const io = socketIO.legacy(new Server(server, { allowEIO3: true }))
  onTestFinished(() => io.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  io.set('authorization', (_: unknown, answer: (error: unknown, allowed?: boolean) => void) => answer(null, true))
  const order: unknown[] = []
  io.use((socket, next) => next(void order.push(socket.handshake.headers.host)))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const { connect: generation } of generations)
    expect(await fate(connect(url, undefined, {}, generation))).toBe('connect')
  expect(order).toHaveLength(2)
})
