/**
 * The stores that are known to work with Express 5, each on its real engine. `close` ends what was started for it.
 * (sessionstore refuses Express above 4: `compat/register.test.ts` runs it, in the old app that has it.)
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import connectPg from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import { ConnectSessionKnexStore } from 'connect-session-knex'
import connectMySQL from 'express-mysql-session'
import session from 'express-session'
import knex from 'knex'
import connectMemory from 'memorystore'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { createClient } from 'redis'
import connectFile from 'session-file-store'
import { startMariaDB, startPostgres, startRedis } from './services.js'

export interface OpenStore {
  store: session.Store
  close(): Promise<unknown>
}

const nothing = async () => {}

export async function openRedis(url: string): Promise<OpenStore> {
  const client = createClient({ url })
  client.on('error', () => {}) // the calls that fail say so
  await client.connect()
  return { store: new RedisStore({ client }), close: () => client.close() }
}

export async function openMySQL(url: string): Promise<OpenStore> {
  const pool = mysql.createPool(url)
  const store = new (connectMySQL(session))({ createDatabaseTable: true }, pool)
  await store.onReady()
  // As a table that the app has made itself may be: it compares without case.
  await pool.query('ALTER TABLE sessions MODIFY data MEDIUMTEXT COLLATE utf8mb4_general_ci')
  return { store, close: () => store.close().then(() => pool.end()) }
}

export async function openPostgres(url: string): Promise<OpenStore> {
  const pool = new pg.Pool({ connectionString: url })
  // The pool has ended before its connections have, and the server, stopped then, tells those.
  pool.on('connect', (client) => client.on('error', () => {}))
  const store = new (connectPg(session))({ pool, createTableIfMissing: true })
  return { store, close: () => Promise.resolve(store.close()).then(() => pool.end()) }
}

async function openKnex(url: string): Promise<OpenStore> {
  const database = knex({ client: 'pg', connection: url })
  const store = new ConnectSessionKnexStore({ knex: database, createTable: true, cleanupInterval: 0 })
  await store.ready
  return { store, close: () => database.destroy() }
}

/** Starts a server of its own, and opens the store on it. */
async function on(
  start: () => Promise<{ url: string; stop(): Promise<void> }>,
  open: (url: string) => Promise<OpenStore>,
): Promise<OpenStore> {
  const service = await start()
  const { store, close } = await open(service.url)
  return { store, close: () => close().then(() => service.stop()) }
}

async function openFiles(): Promise<OpenStore> {
  const path = await mkdtemp(join(tmpdir(), 'handshake-session-files-'))
  const store = new (connectFile(session))({ path, retries: 0, logFn: () => {}, reapInterval: -1 })
  return { store, close: () => rm(path, { recursive: true, force: true }) }
}

export const stores: Record<string, () => Promise<OpenStore>> = {
  MemoryStore: async () => ({ store: new session.MemoryStore(), close: nothing }),
  memorystore: async () => ({ store: new (connectMemory(session))({ checkPeriod: 3_600_000 }), close: nothing }),
  'connect-redis on Redis': () => on(startRedis, openRedis),
  'express-mysql-session on MariaDB': () => on(startMariaDB, openMySQL),
  'connect-pg-simple on PostgreSQL': () => on(startPostgres, openPostgres),
  'connect-session-knex on PostgreSQL': () => on(startPostgres, openKnex),
  'session-file-store': openFiles,
}
