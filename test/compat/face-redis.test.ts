/**
 * The members that ask the adapter, with the one of Redis: two nodes, on the newest Socket.IO and on the oldest.
 */
import { createAdapter } from '@socket.io/redis-adapter'
import newest from 'handshake-session/compat/socket.io'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect, next } from '../support/app.js'
import { startRedis } from '../support/services.js'
import { join, listen, type OldServer, type OldSocket } from './old-server.js'
import { face as oldest } from './socket.io-4.6.js'

let redis: Awaited<ReturnType<typeof startRedis>>
beforeAll(async () => {
  redis = await startRedis()
}, 600_000)
afterAll(() => redis?.stop())

const called = (act: (callback: (...args: unknown[]) => void) => unknown) =>
  new Promise<unknown[]>((resolve) => act((...args) => resolve(args)))

describe.each([
  ['4.8', newest],
  ['4.6', oldest],
])('Socket.IO %s', (_, module) => {
  async function node(): Promise<{
    io: OldServer
    url: string
    client: ReturnType<typeof connect>
    socket: OldSocket
  }> {
    const clients = await Promise.all([1, 2].map(() => createClient({ url: redis.url }).connect()))
    onTestFinished(() => void Promise.all(clients.map((each) => each.close())))
    const { io, url } = await listen({ adapter: createAdapter(clients[0], clients[1]) as never }, module)
    const [client, socket] = await join(io, url, connect as never)
    return { io, url, client, socket }
  }

  /** Resolves when the nodes know each other: before that, one is not asked. */
  async function two() {
    const nodes = [await node(), await node()] as const
    for (const { io } of nodes) {
      const { adapter } = io.sockets as unknown as { adapter: { serverCount(): Promise<number> } }
      while ((await adapter.serverCount()) < 2);
    }
    return nodes
  }

  test('join and leave call back and chain; clients are those of all nodes, the maps those of this one', async () => {
    const [here, there] = await two()
    for (const { socket } of [here, there]) {
      expect(await called((done) => expect(socket.join('room', done)).toBe(socket))).toEqual([null])
    }
    const { io, socket } = here
    const ids = [socket.id, there.socket.id]
    const inRoom = io.in('room') as unknown as { clients(fn: (...args: unknown[]) => void): void }
    const sorted = ([error, found]: unknown[]) => [error, [...(found as string[])].sort()]
    expect(sorted(await called((done) => inRoom.clients(done)))).toEqual([null, ids.sort()])
    expect(sorted(await called((done) => io.clients(done)))).toEqual([null, ids])
    expect(io.clients('room')).toEqual([socket])
    expect(Object.keys(io.sockets.connected)).toEqual([socket.id])
    const { rooms } = io.sockets.adapter as unknown as { rooms: Record<string, { length: number; sockets: object }> }
    expect(rooms['room']).toMatchObject({ length: 1, sockets: { [socket.id]: true } })
    expect(io.rooms['/room']).toEqual([socket.id])
    expect(await called((done) => expect(socket.leave('room', done)).toBe(socket))).toEqual([null])
    expect(rooms).not.toHaveProperty('room')
    expect(await called((done) => inRoom.clients(done))).toEqual([null, [there.socket.id]])
  })

  test('flags, rooms and socket(id) reach the other node', async () => {
    const [{ io, client }, there] = await two()
    await called((done) => there.socket.join('room', done))
    const heard = Promise.all([next(there.client, 'news'), next(there.client, 'you'), next(there.client, 'all')])
    const { json } = io.to('room') as unknown as OldServer['sockets']
    expect(json.emit('news', 1)).toBe(io.sockets)
    io.sockets.socket(there.socket.id).emit('you', 2)
    const here = next(client, 'all')
    io.sockets.emit('all', 3)
    expect(await heard).toEqual([1, 2, 3])
    expect(await here).toBe(3)
  })
})
