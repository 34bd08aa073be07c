/**
 * The servers that other tests rely on: each takes a real client, and leaves nothing behind.
 */
import { once } from 'node:events'
import { connect as connectTo } from 'node:net'
import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import { createClient } from 'redis'
import { expect, test, vi } from 'vitest'
import { type Service, startMariaDB, startPostgres, startRedis } from './support/services.js'

/** The first start may have to install the server. */
vi.setConfig({ testTimeout: 600_000 })

const kinds: [string, (options: { own: boolean }) => Promise<Service>, (url: string) => Promise<unknown>][] = [
  ['Redis', startRedis, askRedis],
  ['MariaDB', startMariaDB, askMariaDB],
  ['PostgreSQL', startPostgres, askPostgres],
]

test.concurrent.each(kinds)('%s of our own starts, answers, and is gone when stopped', async (_name, start, ask) => {
  const service = await start({ own: true })
  const { url, pid } = service
  try {
    expect(await ask(url)).toBe(42)
    expect(isRunning(pid)).toBe(true)
  } finally {
    await service.stop()
  }
  expect(isRunning(pid)).toBe(false)
  await expect(open(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test.concurrent.each(kinds)('%s of the environment, where there is one, is used and left running', async (...kind) => {
  const [name, start, ask] = kind
  const variable = { Redis: 'REDIS_URL', MariaDB: 'MYSQL_URL', PostgreSQL: 'POSTGRES_URL' }[name] ?? ''
  const before = process.env[variable]
  const server = await start({ own: true })
  try {
    process.env[variable] = server.url
    const named = await start({ own: false })
    expect(named.url).toBe(server.url)
    await expect(named.kill()).rejects.toThrow('own: true')
    await named.stop()
    expect(await ask(server.url)).toBe(42)
  } finally {
    if (before === undefined) delete process.env[variable]
    else process.env[variable] = before
    await server.stop()
  }
})

test('Redis keeps what it was told when it is killed and started again', async () => {
  const redis = await startRedis({ own: true })
  try {
    await withRedis(redis.url, (client) => client.set('kept', 'yes'))
    const { pid } = redis
    await redis.kill()
    expect(isRunning(pid)).toBe(false)
    await redis.restart()
    expect(await withRedis(redis.url, (client) => client.get('kept'))).toBe('yes')
  } finally {
    await redis.stop()
  }
})

async function askRedis(url: string): Promise<unknown> {
  return Number(await withRedis(url, (client) => client.eval('return 6 * 7')))
}

async function withRedis<T>(url: string, use: (client: ReturnType<typeof createClient>) => Promise<T>): Promise<T> {
  const client = createClient({ url })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

async function askMariaDB(url: string): Promise<unknown> {
  const connection = await createConnection(url)
  const [rows] = await connection.query('SELECT 6 * 7 AS answer')
  await connection.end()
  return (rows as { answer: number }[])[0]?.answer
}

async function askPostgres(url: string): Promise<unknown> {
  const client = new Client(url)
  await client.connect()
  const { rows } = await client.query<{ answer: number }>('SELECT 6 * 7 AS answer')
  await client.end()
  return rows[0]?.answer
}

function isRunning(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Connects to the host and port of a URL. */
async function open(url: string): Promise<void> {
  const { hostname, port } = new URL(url)
  const socket = connectTo(Number(port), hostname)
  await once(socket, 'connect')
  socket.destroy()
}
