/**
 * `refuseAt: 'http'`, O in LEGACY.md (e): the authorizer is asked before there is a connection, and a refusal is HTTP 403.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import socketIO from 'handshake-session/compat/socket.io'
import { Server } from 'socket.io'
import request from 'supertest'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { connect } from '../support/app.js'
import { fate, generations, join, listen, type Options } from './old-server.js'

type Answer = (error?: unknown, authorized?: unknown) => void
const refuse = (_: unknown, answer: Answer) => answer(null, false)
const handshakePath = '/socket.io/?EIO=4&transport=polling'

describe.each(generations)('client $version', ({ connect: generation }) => {
  test.each([
    ['polling', 'xhr poll error'],
    ['websocket', 'websocket error'],
  ])('refused over %s: no connection, not even of the engine', async (transport, told) => {
    const { io, url } = await listen({ refuseAt: 'http' })
    const connected = vi.fn()
    io.engine.on('connection', connected)
    io.set('authorization', refuse)
    const client = connect(url, undefined, { transports: [transport as 'polling'] }, generation)
    expect(await fate(client)).toContain(told)
    expect(connected).not.toHaveBeenCalled()
  })

  test.each(['polling', 'websocket'])('let in over %s: asked once, one handshake for all', async (transport) => {
    const { io, url } = await listen({ refuseAt: 'http', legacyAddress: true })
    const asked: unknown[] = []
    io.set('authorization', (handshake: { session?: unknown }, answer: Answer) => {
      asked.push(handshake)
      handshake.session = { user: 'ann' }
      answer(null, true)
    })
    const other = new Promise<unknown>((resolve) => io.of('/a').on('connection', (socket) => resolve(socket.handshake)))
    const transports = [transport as 'polling']
    const [client, socket] = await join(io, url, (at, options) => generation(at, { ...options, transports }))
    client.io.socket('/a')
    expect(await other).toBe(socket.handshake)
    expect(asked).toEqual([socket.handshake])
    expect(asked[0]).toBe(socket.handshake)
    expect(socket.request).toMatchObject({ session: { user: 'ann' } })
    expect(socket.handshake).toMatchObject({
      address: { address: '127.0.0.1', port: expect.any(Number) },
      query: { transport },
      secure: false,
      xdomain: false,
    })
  })
})

test.each<[string, (_: unknown, answer: Answer) => void, Options, string]>([
  ['(null, false)', refuse, {}, 'handshake unauthorized'],
  ['(err)', (_, answer) => answer(new Error('db down')), {}, 'handshake error'],
  ['(err), style 1.x', (_, answer) => answer(new Error('db down')), { errorStyle: '1.x' }, 'Error: db down'],
  ['never', () => {}, { timeout: 50 }, 'handshake error'],
])('%s: 403 with the text', async (_, authorize, options, message) => {
  const { io, url } = await listen({ refuseAt: 'http', ...options })
  io.set('authorization', authorize)
  await request(url).get(handshakePath).expect(403, { code: 4, message })
})

test('a page of another origin: 403', async () => {
  const { io, url } = await listen({ refuseAt: 'http' })
  io.set('authorization', (_: unknown, answer: Answer) => answer(null, true))
  await request(url)
    .get(handshakePath)
    .set('origin', 'http://evil.example')
    .expect(403, /handshake bad origin/)
})

test('whoever came before there was an authorizer is asked on entering', async () => {
  const { io, url } = await listen({ refuseAt: 'http' })
  io.engine.on('connection', () => io.set('authorization', refuse))
  expect(await fate(connect(url))).toBe('handshake unauthorized')
})

test.each(['before', 'after'])('legacy(io, …) %s attach; an allowRequest of the app comes first', async (when) => {
  const server = createServer()
  const io = new Server()
  const allowRequest = vi.fn(({ headers }, answer) => answer('not you', headers['user-agent'] === 'friend'))
  const face = () => socketIO.legacy(io, { refuseAt: 'http' }).set('authorization', refuse)
  if (when === 'before') face()
  io.attach(server, { allowRequest })
  if (when === 'after') face()
  onTestFinished(() => io.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await request(url)
    .get(handshakePath)
    .expect(403, /not you/)
  await request(url)
    .get(handshakePath)
    .set('user-agent', 'friend')
    .expect(403, /handshake unauthorized/)
  expect(allowRequest).toHaveBeenCalledTimes(2)
})
