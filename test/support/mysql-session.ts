/**
 * For tests of socket.io-mysql-session: a database of its own with the old table, every driver that apps use, and a
 * small app on Socket.IO 4 with the shim, or the original, as its middleware.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Middleware, SocketSession } from 'handshake-session/compat/socket.io-mysql-session'
import mysql from 'mysql'
import mysql2 from 'mysql2'
import mysql2promise, { type Connection, type RowDataPacket } from 'mysql2/promise'
import { Server, type Socket as ServerSocket } from 'socket.io'
import type { Socket } from 'socket.io-client'
import { afterAll, beforeAll, beforeEach, onTestFinished } from 'vitest'
import { connect, next } from './app.js'
import { startMariaDB } from './services'

/** What the drivers have in common. */
export interface Database {
  query(sql: string, values: unknown[], callback: (error: unknown, results?: unknown) => void): unknown
  end(): unknown
}

/** Opens a connection to the database, or a pool of them. */
export type Open = (url: string) => Database | Promise<Database>

/** The drivers that the original takes: on a pool of `mysql` it fails, and on promises as well. */
export const connections = {
  'a mysql connection': (url: string): Database => mysql.createConnection(url),
  'a mysql2 connection': (url: string): Database => mysql2.createConnection(url),
}

export const drivers = {
  ...connections,
  'a mysql pool': (url: string): Database => mysql.createPool(url),
  'a mysql2 pool': (url: string): Database => mysql2.createPool(url),
  'a mysql2/promise connection': (url: string): Promise<Database> => mysql2promise.createConnection(url),
  'a mysql2/promise pool': (url: string): Database => mysql2promise.createPool(url),
}

/** As the README of the original has it. */
export const createTable = `CREATE TABLE \`session\` (
  \`sessionId\` varchar(32) COLLATE utf8_bin NOT NULL,
  \`expires\` int(11) unsigned NOT NULL,
  \`data\` text COLLATE utf8_bin,
  PRIMARY KEY (\`sessionId\`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_bin`

interface Row {
  sessionId: string
  expires: number
  data: string | null
}

/** A database with the table, looked at past the shim. */
export interface SessionDatabase {
  url: string
  run(sql: string, values?: unknown[]): Promise<RowDataPacket[]>
  row(sessionId: string): Promise<Row | undefined>
  rows(): Promise<Row[]>
  /** A row that is good for another `seconds`; data that is no string is written as JSON. */
  add(sessionId: string, data: unknown, seconds?: number): Promise<void>
  /** Does the work while the table has another name. */
  withoutTable(work: () => Promise<void>): Promise<void>
  stop(): Promise<void>
}

/** Tokens of somebody's sessions. */
export const anns = 'ann_Ann-ann_Ann-ann_Ann-ann_Ann1'
export const bobs = 'bob_Bob-bob_Bob-bob_Bob-bob_Bob2'
/** What new ones look like. */
export const tokenShape = /^[\w-]{32}$/

/** For the tests of a file: an empty table before each. The first start may have to install the server. */
export function useSessionDatabase(): SessionDatabase {
  const database = {} as SessionDatabase
  beforeAll(async () => void Object.assign(database, await startSessionDatabase()), 600_000)
  afterAll(() => database.stop?.())
  beforeEach(async () => void (await database.run('DELETE FROM session')))
  return database
}

/** MariaDB, or the server of the environment, with a new database in it that `stop` removes. */
async function startSessionDatabase(): Promise<SessionDatabase> {
  const server = await startMariaDB()
  const admin = await mysql2promise.createConnection(server.url)
  const name = `mysql_session_${process.pid}`
  for (const sql of [`CREATE DATABASE ${name}`, `USE ${name}`, createTable]) await admin.query(sql)
  const stop = async () => {
    await admin.query(`DROP DATABASE ${name}`)
    await admin.end()
    await server.stop()
  }
  return { url: Object.assign(new URL(server.url), { pathname: name }).href, ...access(admin), stop }
}

function access(admin: Connection): Omit<SessionDatabase, 'url' | 'stop'> {
  const run = async (sql: string, values: unknown[] = []) =>
    (await admin.query<RowDataPacket[]>(sql, values as string[]))[0]
  const rows = async () => (await run('SELECT * FROM session')) as Row[]
  return {
    run,
    rows,
    row: async (sessionId) => (await rows()).find((row) => row.sessionId === sessionId),
    add: async (sessionId, data, seconds = 3_600) => {
      const json = typeof data === 'string' || data === null ? data : JSON.stringify(data)
      await run('INSERT INTO session VALUES (?, ?, ?)', [sessionId, seconds + nowInSeconds(), json])
    },
    withoutTable: async (work) => {
      await run('RENAME TABLE session TO elsewhere')
      await work().finally(() => run('RENAME TABLE elsewhere TO session'))
    },
  }
}

function nowInSeconds(): number {
  return Math.round(Date.now() / 1000)
}

/** What the server told the client. */
interface GotToken {
  token: string
  errors: string
}

export interface Peer {
  client: Socket
  socket: ServerSocket
  session: SocketSession
  /** The old protocol: emits `getToken` with these params, and waits for `gotToken`. */
  getToken(params: unknown): Promise<GotToken>
}

/** Opens the database for an app; closed after the test. */
export async function openDatabase(open: Open, url: string): Promise<Database> {
  const db = await open(url)
  onTestFinished(async () => void (await db.end()))
  return db
}

/** Every driver's `query`, as a promise. */
export function query(db: Database, sql: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = db.query(sql, [], (error, rows) => (error ? reject(error) : resolve(rows)))
    if (asked instanceof Promise) asked.then(resolve, reject)
  })
}

/** Starts a server with that middleware. Each call of the result connects a client, and gives both its ends. */
export async function startServer(middleware: Middleware): Promise<() => Promise<Peer>> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const io = new Server(server)
  io.use(middleware)
  onTestFinished(() => void io.close())
  return () => connectPeer(io, `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

async function connectPeer(io: Server, url: string): Promise<Peer> {
  const connected = next<ServerSocket>(io, 'connection')
  const client = connect(url)
  const [socket] = await Promise.all([connected, next(client, 'connect')])
  return {
    client,
    socket,
    get session() {
      return (socket as unknown as { session: SocketSession }).session
    },
    getToken: (params) => {
      const got = next<GotToken>(client, 'gotToken')
      client.emit('getToken', params)
      return got
    },
  }
}

/** A logger as `filelogger` is one, and what it was told. */
export function recordingLogger(): { lines: string[]; log(level: string, message: string): void } {
  const lines: string[] = []
  return { lines, log: (level, message) => void lines.push(`${level} ${message}`) }
}
