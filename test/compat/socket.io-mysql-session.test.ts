/**
 * socket.io-mysql-session, what is mended (F), against a real MariaDB and on every driver that apps use. "d3" is row 3 of the
 * table of the original's bugs in LEGACY.md. What needs only one driver is in the file beside this one.
 */
import socketSession, { type Options } from 'handshake-session/compat/socket.io-mysql-session'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  anns,
  bobs,
  createTable,
  type Database,
  drivers,
  openDatabase,
  type Peer,
  query,
  recordingLogger,
  startServer,
  tokenShape,
  useSessionDatabase,
} from '../support/mysql-session'

const database = useSessionDatabase()
afterEach(() => void vi.useRealTimers())

describe.each(Object.entries(drivers))('F with %s', (_driver, open) => {
  async function start(options: Partial<Options> = {}): Promise<Peer & { join(): Promise<Peer>; db: Database }> {
    const db = await openDatabase(open, database.url)
    const join = await startServer(socketSession({ db, ...options }))
    return { ...(await join()), join, db }
  }

  /** Runs statements on the one connection that the app will use. */
  async function startWith(...statements: string[]): Promise<Peer> {
    const db = await openDatabase(open, `${database.url}?connectionLimit=1`)
    for (const sql of statements) await query(db, sql)
    return (await startServer(socketSession({ db })))()
  }

  test('login, and the session again on a new socket with the token, also after a restart of the server', async () => {
    const first = await start()
    const { token } = await first.getToken({})
    await first.session.set('userId', 7)
    const again = await first.join()
    expect(await again.getToken({ token })).toEqual({ token, errors: '' })
    expect(again.session.get('userId')).toBe(7)
    const restarted = await start()
    expect(await restarted.getToken({ token })).toEqual({ token, errors: '' })
    expect(restarted.session.get('userId')).toBe(7)
    await restarted.session.clearSession()
    expect(await database.rows()).toMatchObject([{ sessionId: token, data: '{}' }])
  })

  test('when gotToken says a new token, its row is there', async () => {
    const { getToken } = await start()
    const { token } = await getToken({})
    expect(await database.row(token)).toMatchObject({ data: '{}' })
  })

  test.each([
    [{ sessionId: 1 }],
    [0],
    [false],
    [true],
    [[]],
    [['ann']],
    [{ toSqlString: 1 }],
    [`${anns} `],
    ["' OR 1=1 -- "],
  ])('d3 F: the token %j opens nobody else’s session', async (token) => {
    await database.add(anns, { userId: 7 })
    await database.add('0', { userId: 8 })
    const { getToken, session } = await start()
    expect(await getToken({ token })).toEqual({ token: session.token, errors: 'Session Not Found' })
    expect(session.token).toMatch(tokenShape)
    expect(session.get('userId')).toBe('')
  })

  test('d3 F: nor does a token that the table takes for equal, where its collation ignores case', async () => {
    await database.run('ALTER TABLE session CONVERT TO CHARACTER SET utf8 COLLATE utf8_general_ci')
    try {
      await database.add(anns, { userId: 7 })
      const { getToken, session } = await start()
      expect(await getToken({ token: anns.toUpperCase() })).toMatchObject({ errors: 'Session Not Found' })
      expect(session.get('userId')).toBe('')
    } finally {
      await database.run('ALTER TABLE session CONVERT TO CHARACTER SET utf8 COLLATE utf8_bin')
    }
  })

  test('d4 F: an expired session gives nothing to the one under the new token', async () => {
    await database.add(anns, { userId: 7 }, -1)
    const { getToken, session } = await start()
    const { token, errors } = await getToken({ token: anns })
    expect(errors).toBe('Session Expired')
    expect(session.get('userId')).toBe('')
    expect(await database.row(token)).toMatchObject({ data: '{}' })
    expect(await database.row(anns)).toMatchObject({ data: '{"userId":7}' })
  })

  test('d4 F: a session expires by itself, when its time has passed since the last save', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_750_000_000_000 })
    const { getToken, session, join } = await start({ expirationMs: 5_000 })
    const { token } = await getToken({})
    await session.set('userId', 7)
    vi.setSystemTime(1_750_000_005_000)
    expect(await (await join()).getToken({ token })).toEqual({ token, errors: '' })
    vi.setSystemTime(1_750_000_006_000)
    expect(await (await join()).getToken({ token })).toMatchObject({ errors: 'Session Expired' })
  })

  test('d5 F: a token not found after login gives an empty session, not a copy of the old one', async () => {
    await database.add(anns, { userId: 7 })
    const { getToken, session } = await start()
    await getToken({ token: anns })
    const { token, errors } = await getToken({ token: bobs })
    expect(errors).toBe('Session Not Found')
    expect(session.get('userId')).toBe('')
    expect(await database.row(token)).toMatchObject({ data: '{}' })
    expect(await database.row(anns)).toMatchObject({ data: '{"userId":7}' })
  })

  test('d6 F: a login while an unknown token is looked up never writes that token', async () => {
    const { socket, session, getToken } = await start()
    socket.on('getToken', () => void session.set('userId', 7))
    const { token } = await getToken({ token: anns })
    await session.set('done', true)
    expect(await database.rows()).toMatchObject([{ sessionId: token, data: '{"userId":7,"done":true}' }])
    expect(token).not.toBe(anns)
  })

  test('d6 F: a failed load changes nothing', async () => {
    await database.add(anns, { userId: 7 })
    const { session, getToken } = await start()
    await getToken({ token: anns })
    await database.withoutTable(async () => {
      expect(await getToken({ token: bobs })).toEqual({ token: '', errors: 'Something terrible happened' })
    })
    expect(session.token).toBe(anns)
    await session.set('seen', true)
    expect(await database.rows()).toMatchObject([{ sessionId: anns, data: '{"userId":7,"seen":true}' }])
  })

  test('d7 F: two tokens racing on one socket never mix', async () => {
    await database.add(anns, { user: 'ann' })
    await database.add(bobs, { user: 'bob' })
    const { client, socket, session } = await start()
    const asked: string[] = []
    socket.on('getToken', ({ token }: { token: string }) => {
      asked.push(token)
      void session.set(`mark ${token}`, true)
    })
    const told: string[] = []
    const rounds = 40
    const finished = new Promise<void>((resolve) => {
      client.on('gotToken', ({ token }: { token: string }) => told.push(token) === rounds && resolve())
    })
    for (let round = 0; round < rounds; round++) client.emit('getToken', { token: round % 2 ? bobs : anns })
    await finished
    expect(told).toEqual(asked)
    await session.set('last', true)
    expect(session.token).toBe(bobs)
    expect(JSON.parse((await database.row(anns))?.data ?? '')).toEqual({ user: 'ann', [`mark ${anns}`]: true })
    const bob = { user: 'bob', [`mark ${bobs}`]: true, last: true }
    expect(JSON.parse((await database.row(bobs))?.data ?? '')).toEqual(bob)
  })

  test.each(['{"userId":', '', '7', '[7]', 'null', null])(
    'd9 F: a row with data %j counts as not found',
    async (data) => {
      await database.add(anns, data)
      const logger = recordingLogger()
      const { getToken, session } = await start({ logger })
      const { token, errors } = await getToken({ token: anns })
      expect(errors).toBe('Session Not Found')
      expect(logger.lines.filter((line) => line.startsWith('error'))).toHaveLength(1)
      await session.set('userId', 8)
      expect(session.get('userId')).toBe(8)
      expect(await database.row(token)).toMatchObject({ data: '{"userId":8}' })
      expect(await database.row(anns)).toMatchObject({ data })
    },
  )

  test.each([[{ token: { toString: 1 } }], [{ token: { length: 3 } }], [7], ['text'], [[]]])(
    'd10 F: getToken %j is answered, and the server lives',
    async (params) => {
      const { getToken } = await start()
      expect(await getToken(params)).toMatchObject({ errors: 'Session Not Found' })
    },
  )

  test('d11 F: the client sees nothing of the SQL; the log has the CREATE TABLE, and no values', async () => {
    const logger = recordingLogger()
    const { getToken, session } = await start({ logger })
    await database.withoutTable(async () => {
      expect(await getToken({ token: anns })).toEqual({ token: '', errors: 'Something terrible happened' })
      await expect(session.set('userId', 7)).rejects.toThrow('Token is empty.')
    })
    const { token } = await getToken({})
    await database.withoutTable(async () => {
      await expect(session.set('password', 'hunter2')).rejects.toThrow("session' doesn't exist")
    })
    const log = logger.lines.join('\n')
    expect(log).toContain('error Socket.io-mysql-session: unable to save session. You might need to create the table.')
    expect(log.replace(/\s+/g, ' ')).toContain(createTable.replace(/\s+/g, ' '))
    for (const value of [anns, token, 'hunter2']) expect(log).not.toContain(value)
  })

  test('the debug log has each statement, and neither token nor values nor data', async () => {
    const logger = recordingLogger()
    const { getToken, session } = await start({ logger })
    const { token } = await getToken({ token: anns })
    await session.set('password', 'hunter2')
    session.get('password')
    expect(logger.lines).toContain('debug Socket.io-mysql-session: query: SELECT * FROM session WHERE sessionId = ?')
    expect(logger.lines).toContain('debug Socket.io-mysql-session: setting password to session.')
    const log = logger.lines.join('\n')
    for (const value of [anns, token, 'hunter2']) expect(log).not.toContain(value)
  })

  test.each(["SET SESSION sql_mode = ''", "SET SESSION sql_mode = 'STRICT_ALL_TABLES'"])(
    'd13 F: 1 MB of data gives an error and leaves the old row whole, after %s',
    async (mode) => {
      await database.add(anns, { userId: 7 })
      const before = await database.row(anns)
      const { getToken, session } = await startWith(mode)
      await getToken({ token: anns })
      await expect(session.set('photo', 'x'.repeat(2 ** 20))).rejects.toThrow('1048599 bytes')
      expect(await database.row(anns)).toEqual(before)
      await session.set('photo', undefined)
      expect(await database.row(anns)).toMatchObject({ data: '{"userId":7}' })
    },
  )

  test('d13 F: up to the last byte that a TEXT can hold is saved', async () => {
    const { getToken, session } = await startWith("SET SESSION sql_mode = ''")
    const { token } = await getToken({})
    await session.set('é', 'x'.repeat(65_535 - '{"éé":""}'.length))
    expect(Buffer.byteLength((await database.row(token))?.data ?? '')).toBe(65_535)
    await expect(session.set('é', 'x'.repeat(65_535 - '{"éé":""}'.length + 1))).rejects.toThrow('65536 bytes')
  })

  test('d13 F: a column made larger by its users holds as much as it can', async () => {
    await database.run('ALTER TABLE session MODIFY data MEDIUMTEXT COLLATE utf8_bin')
    try {
      const { getToken, session } = await start()
      const { token } = await getToken({})
      await session.set('photo', 'x'.repeat(2 ** 20))
      expect((await database.row(token))?.data).toHaveLength(2 ** 20 + '{"photo":""}'.length)
    } finally {
      await database.run('DELETE FROM session')
      await database.run('ALTER TABLE session MODIFY data TEXT COLLATE utf8_bin')
    }
  })

  test('d13 F: a callback or a promise tells how a save went, and nobody has to take either', async () => {
    const { getToken, session } = await start()
    const save = (key: string, value: unknown) => new Promise((resolve) => session.set(key, value, resolve))
    expect(await save('early', 1)).toMatchObject({ message: 'Token is empty.' })
    await getToken({})
    expect(await save('userId', 7)).toBe(null)
    expect(await new Promise((resolve) => session.clearSession(resolve))).toBe(null)
    await database.withoutTable(async () => {
      expect(await save('userId', 7)).toMatchObject({ message: expect.stringContaining("doesn't exist") })
      void session.set('userId', 8)
      await expect(session.clearSession()).rejects.toThrow("doesn't exist")
    })
    const circular: unknown[] = []
    expect(await save('circular', circular.push(circular) && circular)).toBeInstanceOf(TypeError)
  })

  test('characters beyond the charset of the table are kept, also by a server that is not strict', async () => {
    const values = { '🍵': 'tea 🍵', name: 'Žofie', half: '\ud83c' }
    const { getToken, session } = await startWith("SET SESSION sql_mode = ''")
    const { token } = await getToken({})
    for (const [key, value] of Object.entries(values)) await session.set(key, value)
    await getToken({ token })
    expect(session.values).toEqual(values)
  })
})
