/**
 * socket.io-mysql-session, what is mended (F) whatever the driver: the options, the fields, and the order of answers.
 */
import { once } from 'node:events'
import socketSession, { type Options } from 'handshake-session/compat/socket.io-mysql-session'
import { afterEach, expect, test, vi } from 'vitest'
import {
  anns,
  bobs,
  type Database,
  drivers,
  openDatabase,
  type Peer,
  recordingLogger,
  startServer,
  useSessionDatabase,
} from '../support/mysql-session'

const day = 86_400

const database = useSessionDatabase()
afterEach(() => void vi.useRealTimers())

test('d1 F: the options are taken as given, and not written to', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_750_000_000_000 })
  const db = await openConnection()
  const logger = recordingLogger()
  const options = { db, logger, expiration: 3_600 }
  const { getToken, session } = await (await startServer(socketSession(options)))()
  expect(options).toEqual({ db, logger, expiration: 3_600 })
  expect(session.logger).toBe(logger)
  await getToken({})
  expect(session.expires).toBe(1_750_000_000 + 3_600)
  expect(logger.lines).not.toEqual([])
})

test.each([
  [{}, day],
  [{ expiration: 3_600 }, 3_600],
  [{ expiration: 86_400_000 }, day],
  [{ expiration: null }, day],
  [{ expirationMs: 90_000 }, 90],
  [{ expiration: 3_600, expirationMs: 90_000 }, 90],
])('d2 F: %j expires after %i s', async (options, seconds) => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_750_000_000_000 })
  const { getToken } = await join(options)
  const { token } = await getToken({})
  expect(await database.row(token)).toMatchObject({ expires: 1_750_000_000 + seconds })
})

test('d2 F: an expiration that is plainly meant in milliseconds gets a warning, and fits its column', async () => {
  const db = await openConnection()
  const warned = once(process, 'warning')
  const middleware = socketSession({ db, expiration: 30 * day * 1_000 })
  expect(await warned).toMatchObject([
    { message: expect.stringContaining('expiration is in seconds, and 2592000000 are') },
  ])
  const { getToken } = await (await startServer(middleware))()
  const { token } = await getToken({})
  expect(await database.row(token)).toMatchObject({ expires: 2 ** 32 - 1 })
})

test('d7 F: a token that is answered late does not overwrite the one that was asked for after it', async () => {
  await database.add(anns, { user: 'ann' })
  await database.add(bobs, { user: 'bob' })
  const pool = await openDatabase(drivers['a mysql2 pool'], database.url)
  const { session } = await (await startServer(socketSession({ db: answerFirstLast(pool) })))()
  const loaded = [session.loadSession(anns), session.loadSession(bobs)]
  void session.set('seen', true)
  expect(await Promise.all(loaded)).toMatchObject([{ token: anns }, { token: bobs }])
  await session.set('done', true)
  expect(await database.row(anns)).toMatchObject({ data: '{"user":"ann"}' })
  expect(await database.row(bobs)).toMatchObject({ data: '{"user":"bob","seen":true,"done":true}' })
})

test('d8 F: loadSession without a token begins a new session, and calls back with its token', async () => {
  const { session } = await join()
  for (const none of [undefined, null, '']) {
    const { token, errors } = await session.loadSession(none)
    expect(errors).toBe('Session Not Found')
    expect(token).toBe(session.token)
    expect(await database.row(token)).toMatchObject({ data: '{}' })
  }
})

test('d12 F: a pool of mysql, which has no format()', async () => {
  const pool = await openDatabase(drivers['a mysql pool'], database.url)
  expect(pool).not.toHaveProperty('format')
  const { getToken } = await (await startServer(socketSession({ db: pool, logger: recordingLogger() })))()
  expect(await getToken({})).toMatchObject({ errors: 'Session Not Found' })
})

test('d15 F: get finds what was set, and nothing of Object', async () => {
  await database.add(anns, '{"userId":7,"__proto__":{"admin":true}}')
  const { getToken, session } = await join()
  expect(['toString', 'constructor', '__proto__'].map((key) => session.get(key))).toEqual(['', '', ''])
  await getToken({ token: anns })
  expect(['toString', 'admin'].map((key) => session.get(key))).toEqual(['', ''])
  await session.clearSession()
  expect(session.get('toString')).toBe('')
})

test.each([
  [undefined, 'Database connection must be provided through options.db'],
  [{}, 'Database connection must be provided through options.db'],
  [{ db: {} }, 'options.db must be'],
  [{ db: { query: () => {} }, logger: console.log }, 'options.logger must have'],
  [{ db: { query: () => {} }, expiration: 'soon' }, 'options.expiration (seconds)'],
  [{ db: { query: () => {} }, expirationMs: 0 }, 'options.expirationMs must be above 0'],
])('d16 F: socketSession(%j) is an Error at once', (options, message) => {
  expect(() => socketSession(options as unknown as Options)).toThrow(message)
  expect(() => new socketSession(options as unknown as Options)).toThrow(Error)
})

test('d17 F: expires is that of the last save', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_750_000_000_000 })
  const { getToken, session } = await join()
  const { token } = await getToken({})
  vi.setSystemTime(1_750_000_100_000)
  await session.set('userId', 7)
  expect(session.expires).toBe(1_750_000_100 + day)
  expect(await database.row(token)).toMatchObject({ expires: session.expires })
})

/** A client of a server with the shim on one connection. */
async function join(options: Partial<Options> = {}): Promise<Peer> {
  const db = await openConnection()
  return (await startServer(socketSession({ db, ...options })))()
}

function openConnection(): Promise<Database> {
  return openDatabase(drivers['a mysql2 connection'], database.url)
}

/** The database; but the answer to the first of two questions that are asked at once comes after that to the second. */
function answerFirstLast(db: Database): Pick<Database, 'query'> {
  let unanswered = 0
  let held = () => {}
  return {
    query: (sql, values, callback) => {
      unanswered++
      return db.query(sql, values, (...answer) => {
        const deliver = () => callback(...answer)
        if (--unanswered > 0) held = deliver
        else {
          deliver()
          held()
          held = () => {}
        }
      })
    },
  }
}
