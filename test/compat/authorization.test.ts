/**
 * `io.set('authorization', fn)` and `namespace.authorization(fn)` on Socket.IO 4: what fn may answer, and what clients
 * are told.
 */
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Connect, connect, next } from '../support/app.js'
import { fate, generations, join, listen, type OldSocket, type Options } from './old-server.js'

type Answer = (...args: unknown[]) => void
type Authorize = (handshake: Record<string, unknown>, answer: Answer) => unknown

const down = new Error('db down')
const callbacks: [row: string, fn: Authorize, zeroNine: string, oneX: string][] = [
  ['(null, true)', (_, answer) => answer(null, true), 'connect', 'connect'],
  ['(null, false)', (_, answer) => answer(null, false), 'handshake unauthorized', 'Not authorized'],
  ['()', (_, answer) => answer(), 'handshake unauthorized', 'Not authorized'],
  ['(err)', (_, answer) => answer(down), 'handshake error', 'Error: db down'],
  ['(err), a string', (_, answer) => answer('no cookie', true), 'handshake error', 'no cookie'],
  [
    'throws',
    () => {
      throw down
    },
    'handshake error',
    'Not authorized',
  ],
  ['rejects', () => Promise.reject(down), 'handshake error', 'Not authorized'],
  ['never', () => {}, 'handshake error', 'Not authorized'],
  [
    'twice',
    (_, answer) => {
      answer(null, false)
      answer(null, true)
    },
    'handshake unauthorized',
    'Not authorized',
  ],
]

const table = generations.flatMap(({ version, connect: generation }) =>
  callbacks.flatMap(([row, fn, zeroNine, oneX]) => [
    { version, generation, row, fn, errorStyle: '0.9' as const, told: zeroNine },
    { version, generation, row, fn, errorStyle: '1.x' as const, told: oneX },
  ]),
)

test.each(table)('client $version, $row, style $errorStyle: $told', async ({ generation, fn, errorStyle, told }) => {
  const { io, url } = await listen({ errorStyle, timeout: 50 })
  const connected = vi.fn()
  io.on('connection', connected)
  io.set('authorization', fn)
  expect(await fate(connect(url, undefined, {}, generation))).toBe(told)
  // Whatever came late has come by the time that another client is through.
  io.set('authorization', false)
  await join(io, url, generation)
  expect(connected).toHaveBeenCalledTimes(told === 'connect' ? 2 : 1)
})

test.each(generations)('client $version: the one handshake object, in every namespace', async (client) => {
  const { io, url } = await listen()
  const asked: unknown[] = []
  let self: unknown
  io.set('authorization', function (this: unknown, handshake: object, answer: Answer) {
    self = this
    asked.push(handshake)
    answer(null, true, { user: 'ann' })
  })
  const other = new Promise<unknown>((resolve) => io.of('/a').on('connection', (socket) => resolve(socket.handshake)))
  const [{ io: manager }, socket] = await join(io, url, client.connect)
  manager.socket('/a')
  expect(await other).toBe(socket.handshake)
  expect(asked).toEqual([socket.handshake])
  expect(socket.handshake).toMatchObject({ user: 'ann', address: expect.any(String) })
  expect(self).toBe(io)
})

test.each(generations)('client $version: nobody gets by it into another namespace', async (client) => {
  const { io, url } = await listen()
  const entered = vi.fn()
  io.of('/a').on('connection', entered)
  io.of(/^\/dynamic-/).on('connection', entered)
  io.set('authorization', (_: unknown, answer: Answer) => answer(null, false))
  expect(await fate(connect(`${url}/a`, undefined, {}, client.connect))).toBe('handshake unauthorized')
  expect(await fate(connect(`${url}/dynamic-1`, undefined, {}, client.connect))).toBe('handshake unauthorized')
  expect(entered).not.toHaveBeenCalled()
})

test('session goes to socket.request as well', async () => {
  const { io, url } = await listen()
  io.set('authorization', (handshake: Record<string, unknown>, answer: Answer) => {
    handshake['session'] = { user: 'ann' }
    answer(null, true)
  })
  const [, socket] = await join(io, url, generations[0]?.connect as Connect)
  expect(socket.request).toMatchObject({ session: { user: 'ann' } })
})

test('legacyAddress: address and port', async () => {
  const { io, url } = await listen({ legacyAddress: true })
  const [, socket] = await join(io, url, generations[0]?.connect as Connect)
  expect(socket.handshake.address).toEqual({ address: '127.0.0.1', port: expect.any(Number) })
})

test.each([
  ['without an authorizer: as Socket.IO does', undefined, true],
  ['with one: a new connection', (_: unknown, answer: Answer) => answer(null, true), false],
])('connection state recovery, %s', async (_, authorize, recovers) => {
  const { io, url } = await listen({ connectionStateRecovery: {} } as Options)
  io.set('authorization', authorize)
  io.on('connection', (socket) => {
    if (!socket.recovered) socket.join('room')
    socket.emit('welcome')
  })
  const first = next<OldSocket>(io, 'connection')
  const client = connect(url, undefined, { transports: ['websocket'] })
  await next(client, 'welcome')
  const left = next(await first, 'disconnect')
  client.io.engine.close()
  await left
  const missed = vi.fn()
  client.on('news', missed)
  io.to('room').emit('news')
  const again = next<OldSocket>(io, 'connection')
  const welcome = next(client, 'welcome')
  client.connect()
  const { recovered, get } = await again
  await welcome
  expect([recovered, client.recovered, missed.mock.calls.length]).toEqual([recovers, recovers, recovers ? 1 : 0])
  expect(get).toBeInstanceOf(Function)
})

test('a function it must be', async () => {
  const { io } = await listen()
  expect(() => io.set('authorization', 'yes')).toThrow("set('authorization')")
})

test.each<[string, Options, string, string]>([
  ['foreign', {}, 'http://evil.example', 'handshake bad origin'],
  ['allowed', { origins: 'app.example:*' } as Options, 'https://app.example', 'connect'],
  ['any, as of old', { origins: '*:*' } as Options, 'http://evil.example', 'connect'],
])('a page of another origin: %s', async (_, options, origin, told) => {
  const { io, url } = await listen(options)
  io.set('authorization', (_: unknown, answer: Answer) => answer(null, true))
  const client = connect(url, undefined, { transports: ['websocket'], extraHeaders: { origin } })
  expect(await fate(client)).toBe(told)
})

for (const { version, connect: generation } of generations) {
  test.each<[string, Authorize, string]>([
    ['(null, true)', (_, answer) => answer(null, true), 'connect'],
    ['(null, false)', (_, answer) => answer(null, false), 'unauthorized'],
    ['(err)', (_, answer) => answer(down), 'unauthorized'],
    ['(err, true)', (_, answer) => answer(down, true), 'unauthorized'],
    ['throws', () => Promise.reject(down), 'unauthorized'],
    ['never', () => {}, 'unauthorized'],
  ])(`client ${version}, namespace.authorization %s`, async (_, fn, told) => {
    const { io, url } = await listen({ timeout: 50 })
    const globally = vi.fn((_: unknown, answer: Answer) => answer(null, true))
    let self: unknown
    io.set('authorization', globally)
    const returned = io.of('/a').authorization(function (this: unknown, handshake: never, answer) {
      self = this
      return fn(handshake, answer)
    })
    expect(returned).toBe(io.of('/a'))
    expect(await fate(connect(`${url}/a`, undefined, {}, generation))).toBe(told)
    expect(self).toBe(returned)
    expect(globally).toHaveBeenCalledOnce()
    returned.authorization(false)
    expect(await fate(connect(`${url}/a`, undefined, {}, generation))).toBe('connect')
  })
}

test('namespace.authorization of a dynamic namespace', async () => {
  const { io, url } = await listen()
  io.of(/^\/dynamic-/).authorization((_, answer) => answer(null, false))
  expect(await fate(connect(`${url}/dynamic-1`))).toBe('unauthorized')
})

test('newData that is no object is dropped', async () => {
  const { io, url } = await listen()
  io.set('authorization', (_: unknown, answer: Answer) => answer(null, true, 'text'))
  const [, socket] = await join(io, url, generations[0]?.connect as Connect)
  expect(Object.keys(socket.handshake)).not.toContain('0')
})

test('an error whose text is hidden: one warning, and none for who chose a style', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => warn.mockRestore())
  const refusals = async (options: Options) => {
    const { io, url } = await listen(options)
    io.set('authorization', (_: unknown, answer: Answer) => answer(down))
    for (const _ of [1, 2]) expect(await fate(connect(url))).toBe('handshake error')
    return warn.mock.calls.length
  }
  expect(await refusals({ errorStyle: '0.9' })).toBe(0)
  expect(await refusals({})).toBe(1)
  expect(warn.mock.lastCall?.[0]).toContain(`HANDSHAKE_SESSION='{"errorStyle":"1.x"}'`)
  expect(warn.mock.lastCall?.[0]).not.toContain('db down')
})

test('namespace.authorization that refuses leaves nothing on the connection', async () => {
  const { io, url } = await listen()
  io.of('/admin').authorization(((data: Record<string, unknown>, answer: Answer) => {
    data['role'] = 'admin'
    answer(null, false, { user: 'admin' })
  }) as never)
  const [client, { handshake, request }] = await join(io, url, generations[0]?.connect as Connect)
  expect(await fate(client.io.socket('/admin'))).toBe('unauthorized')
  expect(handshake).not.toHaveProperty('user')
  expect(request).not.toHaveProperty('role')
})

test('namespace.authorization, set twice, is asked once', async () => {
  const { io, url } = await listen()
  const [first, second] = [vi.fn(), vi.fn((_: unknown, answer: Answer) => answer(null, true))]
  io.of('/a').authorization(first).authorization(second)
  expect(await fate(connect(`${url}/a`))).toBe('connect')
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1])
})
