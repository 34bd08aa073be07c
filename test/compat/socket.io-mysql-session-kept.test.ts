/**
 * socket.io-mysql-session, what apps could rely on (K): each case runs on the original 1.0.9 and on the shim, with the same
 * expectation, against a real MariaDB. "d5" is row 5 of the table of the original's bugs in LEGACY.md.
 */
import { createRequire } from 'node:module'
import socketSession, {
  type Options,
  type SocketSessionFactory,
} from 'handshake-session/compat/socket.io-mysql-session'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  anns,
  bobs,
  connections,
  type Database,
  openDatabase,
  type Peer,
  recordingLogger,
  startServer,
  tokenShape,
  useSessionDatabase,
} from '../support/mysql-session'

const require = createRequire(import.meta.url)
const original = require('socket.io-mysql-session-original') as SocketSessionFactory
const database = useSessionDatabase()
afterEach(() => void vi.useRealTimers())

const implementations = Object.entries({ original, shim: socketSession })
const kept = implementations.flatMap(([name, factory]) =>
  Object.entries(connections).map(([driver, open]) => ({ name, factory, driver, open })),
)

describe.each(kept)('K on $name with $driver', ({ factory, open }) => {
  /** Defaults only; frozen, because the original otherwise overwrites the logger that it is given (d1). */
  async function start(options: Partial<Options> = {}): Promise<{ db: Database; join(): Promise<Peer> }> {
    const db = await openDatabase(open, database.url)
    const join = await startServer(
      factory(Object.freeze({ db, logger: recordingLogger(), expiration: 86_400_000, ...options })),
    )
    return { db, join }
  }

  test('login, and the session again on a new socket with the token, also after a restart of the server', async () => {
    const { db, join } = await start()
    const first = await join()
    const { token } = await first.getToken({ token: '' })
    await first.session.set('userId', 7)
    await settled(db)
    const again = await join()
    expect(await again.getToken({ token })).toEqual({ token, errors: '' })
    expect(again.session.get('userId')).toBe(7)
    const restarted = await (await start()).join()
    expect(await restarted.getToken({ token })).toEqual({ token, errors: '' })
    expect(restarted.session.get('userId')).toBe(7)
  })

  test('works with and without new, and calls next at once', async () => {
    const db = await openDatabase(open, database.url)
    for (const middleware of [factory({ db }), new factory({ db })]) {
      const next = vi.fn()
      middleware({ on: () => {}, emit: () => {} }, next)
      expect(next.mock.calls).toEqual([[]])
    }
  })

  test.each([{ token: '' }, {}, null, undefined, { token: 'unknown' }])(
    'getToken %j: "Session Not Found" and a new token',
    async (params) => {
      const { db, join } = await start()
      const { getToken } = await join()
      const { token, errors } = await getToken(params)
      expect(errors).toBe('Session Not Found')
      expect(token).toMatch(tokenShape)
      await settled(db)
      expect(await database.row(token)).toMatchObject({ data: '{}' })
    },
  )

  test('an expired session: "Session Expired" and a new token; at the very second it is still valid', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_750_000_000_000 })
    await database.add(anns, {}, 0)
    await database.add(bobs, {}, -1)
    const { getToken } = await (await start()).join()
    expect(await getToken({ token: anns })).toEqual({ token: anns, errors: '' })
    const { token, errors } = await getToken({ token: bobs })
    expect(errors).toBe('Session Expired')
    expect(token).toMatch(tokenShape)
    expect(token).not.toBe(bobs)
  })

  test('a failing database: an empty token and "Something terrible happened"', async () => {
    const { getToken } = await (await start()).join()
    await database.withoutTable(async () => {
      const { token, errors } = await getToken({ token: anns })
      expect(token).toBe('')
      expect(errors).toMatch(/^Something terrible happened/)
    })
  })

  test('get: the value, "" for none, null for null; public fields', async () => {
    await database.add(anns, { userId: 7, nothing: null, zero: 0 })
    const { db, join } = await start()
    const { getToken, session } = await join()
    expect(session).toMatchObject({ token: '', values: {} })
    await getToken({ token: anns })
    expect(['userId', 'nothing', 'zero', 'none'].map((key) => session.get(key))).toEqual([7, null, 0, ''])
    const row = await database.row(anns)
    expect(session).toMatchObject({ token: anns, expires: row?.expires, values: { userId: 7, nothing: null, zero: 0 } })
    expect(session.db).toBe(db)
    expect(session.options.db).toBe(db)
    expect(session.logger.log).toBeTypeOf('function')
  })

  test('set is seen by get at once, and by the database as it was when set was called', async () => {
    const { db, join } = await start()
    const { getToken, session } = await join()
    const { token } = await getToken({})
    const cart = ['tea']
    const saved = session.set('cart', cart)
    cart.push('milk')
    expect(session.get('cart')).toEqual(['tea', 'milk'])
    await saved
    await settled(db)
    expect(await database.row(token)).toMatchObject({ data: '{"cart":["tea"]}' })
  })

  test('clearSession empties the session and keeps its token and row', async () => {
    await database.add(anns, { userId: 7 })
    const { db, join } = await start()
    const { getToken, session } = await join()
    await getToken({ token: anns })
    await session.clearSession()
    expect(session.get('userId')).toBe('')
    expect(session.token).toBe(anns)
    await settled(db)
    expect(await database.rows()).toMatchObject([{ sessionId: anns, data: '{}' }])
  })

  test('loadSession calls back with the token and the errors', async () => {
    await database.add(anns, { userId: 7 })
    const { session } = await (await start()).join()
    const load = (token: string) =>
      new Promise((resolve) => session.loadSession(token, (...args: unknown[]) => resolve(args)))
    expect(await load(anns)).toEqual([anns, ''])
    expect(session.get('userId')).toBe(7)
    expect(await load(bobs)).toEqual([session.token, 'Session Not Found'])
  })

  test('a save extends the row by a day, reading does not', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_750_000_000_000 })
    await database.add(anns, {}, 60)
    const before = await database.row(anns)
    const { db, join } = await start()
    const { getToken, session } = await join()
    await getToken({ token: anns })
    expect(await database.row(anns)).toEqual(before)
    await session.set('seen', true)
    await settled(db)
    expect(await database.row(anns)).toMatchObject({ expires: 1_750_000_000 + 86_400 })
  })

  test('d5 K: what the server set before any getToken is carried over to the new token', async () => {
    const { db, join } = await start()
    const { getToken, session } = await join()
    void session.set('campaign', 'spring')
    const { token } = await getToken({ token: '' })
    expect(session.get('campaign')).toBe('spring')
    await settled(db)
    expect(await database.row(token)).toMatchObject({ data: '{"campaign":"spring"}' })
  })

  test('d14 K: set before getToken stays in memory, and logs "Token is empty."', async () => {
    const logger = recordingLogger()
    const { db, join } = await start({ logger })
    const { session } = await join()
    const logged = vi.waitUntil(() => logger.lines.includes('error Token is empty.'))
    void session.set('userId', 7)
    expect(session.get('userId')).toBe(7)
    await logged
    await settled(db)
    expect(await database.rows()).toEqual([])
  })

  test('d17 K: two sockets on one token overwrite each other: the later save wins as a whole', async () => {
    await database.add(anns, {})
    const { db, join } = await start()
    const [one, two] = [await join(), await join()]
    await one.getToken({ token: anns })
    await two.getToken({ token: anns })
    await one.session.set('one', 1)
    await settled(db)
    await two.session.set('two', 2)
    await settled(db)
    expect(await database.row(anns)).toMatchObject({ data: '{"two":2}' })
  })
})

test.each([
  ['the original', 'the shim', original, socketSession],
  ['the shim', 'the original', socketSession, original],
])('K: a row that %s wrote is read by %s', async (_writes, _reads, write, read) => {
  const open = connections['a mysql connection']
  const values = { userId: 7, name: 'Žofie', cart: [{ tea: 1.5 }, null] }
  const [db, other] = [await openDatabase(open, database.url), await openDatabase(open, database.url)]
  const writer = await (await startServer(write({ db })))()
  const { token } = await writer.getToken({})
  for (const [key, value] of Object.entries(values)) await writer.session.set(key, value)
  await settled(db)
  const { getToken, session } = await (await startServer(read({ db: other })))()
  expect(await getToken({ token })).toEqual({ token, errors: '' })
  expect(session.values).toEqual(values)
})

/** For the original, whose saves cannot be awaited: a connection works in order, so they are done when this is. */
function settled(db: Database): Promise<void> {
  return new Promise((resolve, reject) => db.query('SELECT 1', [], (error) => (error ? reject(error) : resolve())))
}
