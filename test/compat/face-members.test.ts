/**
 * What old apps do with servers, namespaces and sockets: rooms with callbacks, flags in any order, maps read as objects.
 */
import socketIO from 'handshake-session/compat/socket.io'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { next } from '../support/app.js'
import { generations, join, listen } from './old-server.js'

const called = (act: (callback: (...args: unknown[]) => void) => unknown) =>
  new Promise<unknown[]>((resolve) => act((...args) => resolve(args)))

describe.each(generations)('client $version', ({ connect: generation }) => {
  test('join and leave call back, once, and chain', async () => {
    const { io, url } = await listen()
    const [client, socket] = await join(io, url, generation)
    const callback = vi.fn()
    expect(socket.join('a', callback).leave('b')).toBe(socket)
    expect(await called((done) => socket.join('b', done))).toEqual([null])
    expect(callback).toHaveBeenCalledExactlyOnceWith(null)
    expect(await called((done) => socket.leave('a', done))).toEqual([null])
    expect(socket.join(5 as never, 'no function' as never)).toBe(socket)
    expect([...socket.rooms]).toEqual([socket.id, 'b', '5'])
    const heard = vi.fn()
    client.on('x', heard)
    const last = next(client, 'last')
    io.to(5 as never).emit('x', 1)
    io.except(5 as never).emit('x', 2)
    io.emit('last')
    await last
    expect(heard.mock.calls).toEqual([[1]])
  })

  test('emit, send and broadcast.emit chain, and a room is for one emit', async () => {
    const { io, url } = await listen()
    const [client, ann] = await join(io, url, generation)
    const [other, bob] = await join(io, url, generation)
    const [heard, seen] = [vi.fn(), vi.fn()]
    client.on('x', heard)
    other.on('x', seen)
    bob.join('bob')
    const chain = ann.emit('x', 1) as unknown as typeof ann
    expect(chain).toBe(ann)
    expect(chain.send('m')).toBe(ann)
    expect(ann.broadcast.emit('x', 2)).toBe(ann)
    const again = io.to('bob').emit('x', 3) as unknown as typeof io.sockets
    expect(again).toBe(io.sockets)
    const done = [next(client, 'end'), next(other, 'end')]
    again.to(ann.id).emit('x', 4)
    io.sockets.emit('end')
    await Promise.all(done)
    expect(heard.mock.calls).toEqual([[1], [4]])
    expect(seen.mock.calls).toEqual([[2], [3]])
  })

  test.each([(flags: string[]) => flags, (flags: string[]) => [...flags].reverse()])(
    'flags in any order (%#)',
    async (order) => {
      const { io, url } = await listen()
      const [client, ann] = await join(io, url, generation)
      const [other] = await join(io, url, generation)
      const seen = vi.fn()
      client.on('message', seen)
      const calls: Record<string, unknown[]> = { in: ['r'], compress: [true], binary: [false], to: ['r'] }
      const walk = (from: object, flags: string[]) =>
        order(flags).reduce((at, flag) => {
          const member = Reflect.get(at, flag)
          return calls[flag] ? Reflect.apply(member, at, calls[flag]) : member
        }, from) as unknown as { send(value: unknown): unknown }
      io.sockets.connected[ann.id]?.join('r')
      io.sockets.sockets.forEach((socket) => void socket.join('r'))
      const all = ['json', 'local', 'binary', 'compress', 'in']
      const got = next(other, 'message')
      expect(walk(ann, [...all, 'broadcast']).send({ a: 1 })).toBe(ann)
      expect(await got).toEqual({ a: 1 })
      expect(seen).not.toHaveBeenCalled()
      for (const from of [io.sockets, io]) {
        const both = [next(client, 'message'), next(other, 'message')]
        expect(walk(from, all).send({ b: 2 })).toBe(io.sockets)
        expect(await Promise.all(both)).toEqual([{ b: 2 }, { b: 2 }])
      }
    },
  )

  test('maps are read as objects, and stay maps', async () => {
    const { io, url } = await listen()
    const [, ann] = await join(io, url, generation)
    ann.join('room').join('get').join('__proto__')
    const { rooms } = io.sockets.adapter as unknown as {
      rooms: Map<string, Set<string>> & Record<string, { length: number; sockets: object }>
    }
    expect(io.sockets.connected[ann.id]).toBe(ann)
    expect(Object.keys(io.sockets.sockets)).toEqual([ann.id])
    expect(io.connected[ann.id]).toBe(ann)
    expect(io.nsps['/']).toBe(io.sockets)
    expect(rooms['room']?.length).toBe(1)
    expect(Object.keys(rooms['room']?.sockets ?? {})).toEqual([ann.id])
    expect(rooms.get('get')?.has(ann.id)).toBe(true)
    expect(Object.getPrototypeOf(rooms)).not.toBe(rooms.get('__proto__'))
    expect(Object.values(ann.rooms)).toEqual([ann.id, 'room', 'get'])
    expect(io.rooms).toEqual({ '': [ann.id], '/room': [ann.id], '/get': [ann.id], '/__proto__': [ann.id] })
    expect(io.roomClients[ann.id]).toEqual({ '': true, '/room': true, '/get': true, '/__proto__': true })
    expect(io.handshaken[ann.id]).toBe(ann.handshake)
    const gone = next(ann, 'disconnect')
    ann.disconnect(true)
    await gone
    expect([Object.keys(io.sockets.sockets), Object.keys(rooms), rooms.size]).toEqual([[], [], 0])
  })

  test('clients, by callback: ids; and socket(id)', async () => {
    const { io, url } = await listen()
    const [client, ann] = await join(io, url, generation)
    await join(io, url, generation)
    ann.join('room')
    expect(await called((done) => io.clients(done))).toEqual([null, [...io.sockets.sockets.keys()]])
    expect(await called((done) => Reflect.apply(Reflect.get(io.in('room'), 'clients'), io.in('room'), [done]))).toEqual(
      [null, [ann.id]],
    )
    expect(() => Reflect.apply(Reflect.get(io.in('room'), 'clients'), io.in('room'), [])).toThrow('expected a function')
    const got = next(client, 'hello')
    io.sockets.socket(ann.id).emit('hello', 'there')
    expect(await got).toBe('there')
    expect(io.sockets.socket('nobody')).toMatchObject({ id: 'nobody', disconnected: true })
    expect(() => io.sockets.socket('nobody').join('x').emit('hello')).not.toThrow()
  })

  test('manager, namespace, store, log, transport, $emit', async () => {
    const { io, url } = await listen()
    const [, socket] = await join(io, url, generation)
    expect([socket.manager, socket.namespace, socket.readable]).toEqual([io, io.sockets, true])
    expect(await called((done) => socket.store.set('k', 1).get('k', done))).toEqual([null, 1])
    expect(socket.transport).toBe('polling')
    expect(() => io.log.info('text')).not.toThrow()
    const heard = vi.fn()
    socket.on('own', heard)
    socket.$emit('own', 1)
    expect(heard).toHaveBeenCalledExactlyOnceWith(1)
    Object.assign(socket, { error: 'mine' })
    expect(Reflect.get(socket, 'error')).toBe('mine')
  })
})

test('another adapter gets the same face; what it has itself is left alone', async () => {
  const { io } = await listen()
  const { Adapter } = await import('socket.io-adapter')
  class OwnMap extends Map<string, Set<string>> {}
  class OwnSet extends Set<string> {}
  class Own extends Adapter {
    override sids = new OwnMap()
    clients() {
      return 'mine'
    }
  }
  io.adapter(Own)
  const { adapter } = io.sockets as unknown as { adapter: Own }
  adapter.addAll('id', new Set(['room']))
  expect(Reflect.get(adapter.rooms, 'room')).toMatchObject({ length: 1, sockets: { id: true } })
  expect(adapter.clients()).toBe('mine')
  expect(Object.getPrototypeOf(adapter.sids)).toBe(OwnMap.prototype)
  const own = new OwnSet()
  expect(Object.getPrototypeOf(adapter.rooms.set('own', own).get('own'))).toBe(OwnSet.prototype)
  Object.assign(adapter, { rooms: 'none' })
  expect(() => io.of('/a')).not.toThrow()
})

test('what is deleted from a map or a set, or cleared, is no property of it any more', async () => {
  const { io } = await listen()
  const { adapter } = io.sockets
  adapter.addAll('one', new Set(['room', 'other']))
  adapter.addAll('two', new Set(['room']))
  adapter.del('two', 'room')
  expect(Object.keys(adapter.rooms.get('room') as object)).toEqual(['one'])
  adapter.rooms.get('room')?.clear()
  expect(Object.keys(adapter.rooms.get('room') as object)).toEqual([])
  adapter.rooms.clear()
  expect(Object.keys(adapter.rooms)).toEqual([])
})

test('an adapter that fails: join, leave and clients call back with its error', async () => {
  const { io, url } = await listen()
  const [, socket] = await join(io, url, generations[0]?.connect as never)
  const down = new Error('down')
  const fails = () => Promise.reject(down)
  Object.assign(io.sockets.adapter, { addAll: fails, del: fails, fetchSockets: fails })
  expect(await called((done) => socket.join('a', done))).toEqual([down])
  expect(await called((done) => socket.leave('a', done))).toEqual([down])
  expect(await called((done) => io.clients(done))).toEqual([down])
})

test('a layer for all objects of a kind, and one for each', async () => {
  const { io, url } = await listen()
  expect(Object.getPrototypeOf(io.of('/a'))).toBe(Object.getPrototypeOf(io.of('/b')))
  const [{ io: manager }, { client }] = await join(io, url, generations[0]?.connect as never)
  const layer = Object.getPrototypeOf(client)
  const entered = next(io.of('/a'), 'connection')
  manager.socket('/a')
  await entered
  expect(Object.getPrototypeOf(client)).toBe(layer)
})

test('client.disconnect leaves every namespace, and closes', async () => {
  const { io, url } = await listen()
  const [, socket] = await join(io, url, generations[0]?.connect as never)
  const left = next(socket, 'disconnect')
  ;(socket.client as unknown as { disconnect(): void }).disconnect()
  expect(await left).toBe('server namespace disconnect')
  expect(socket.conn.readyState).not.toBe('open')
})

test('a server without the face is as Socket.IO made it', async () => {
  const { Server, Namespace } = await import('socket.io')
  socketIO()
  const io = new Server()
  expect(Object.getPrototypeOf(io.sockets)).toBe(Namespace.prototype)
  expect(Object.getPrototypeOf(io.sockets.sockets)).toBe(Map.prototype)
  expect('json' in io).toBe(false)
})

test.each(generations)('client $version: the query of a namespace', async ({ version, connect: generation }) => {
  const { io, url } = await listen()
  const seen = vi.fn()
  io.of('/a').use(({ handshake }, done) => {
    seen(handshake.query)
    done()
  })
  const enter = async () => {
    const [client, socket] = await join(io, url, (at) => generation(at, { forceNew: true, query: { own: '1' } }))
    const second = client.io.socket('/a', { query: { own: '2', other: '3' } } as never)
    await next(second, 'connect')
    expect(socket.handshake.query).toMatchObject({ own: '1' })
    expect(socket.handshake.query).not.toHaveProperty('other')
    return seen.mock.lastCall?.[0]
  }
  // Those of later generations have `auth` for that.
  const isOld = version === '2.5'
  expect(await enter()).toMatchObject(isOld ? { own: '2', other: '3' } : { own: '1' })
  io.set('authorization', (_: object, answer: (error: null, allowed: boolean) => void) => answer(null, true))
  expect(await enter()).toMatchObject(isOld ? { own: '1', other: '3' } : { own: '1' })
})

test('events that stay in this process: those of old, and what a package adds', async () => {
  const { io, url } = await listen()
  const [client, socket] = await join(io, url, generations[0]?.connect as never)
  const [heard, received] = [vi.fn(), vi.fn()]
  const { events } = io.sockets.constructor as unknown as { events: string[] }
  events.push('own')
  onTestFinished(() => void events.pop())
  client.onAny(received)
  for (const event of ['own', 'connection']) io.sockets.on(event as never, heard as never)
  socket.on('disconnect', heard)
  expect(io.sockets.emit('own', socket)).toBe(io.sockets)
  expect(io.sockets.emit('connection' as never, ...(['again'] as never[]))).toBe(io.sockets)
  expect(socket.emit('disconnect' as never, ...(['me'] as never[]))).toBe(socket)
  expect(heard.mock.calls).toEqual([[socket], ['again'], ['me']])
  const last = next(client, 'last')
  socket.emit('last')
  await last
  expect(received.mock.calls).toEqual([['last']])
})
