/**
 * The old app in `examples/old/socket.io-mysql-session`, unedited and started by its one command, on Socket.IO 4 and MariaDB.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Socket } from 'socket.io-client'
import { expect, onTestFinished, test } from 'vitest'
import { connect, next } from '../support/app.js'
import { useSessionDatabase } from '../support/mysql-session'

const folder = join(import.meta.dirname, '../../examples/old/socket.io-mysql-session')
const database = useSessionDatabase()

test('a user logs in, comes back with the token, also after a restart, and logs out', async () => {
  const first = await startOldApp()
  const token = await getToken(connectTo(first), '')
  const ann = connectTo(first)
  expect(await getToken(ann, token)).toBe(token)
  expect(await ask(ann, 'user:securedEvent', 'user:error')).toEqual({ message: 'not logged in' })
  expect(await ask(ann, 'user:login', 'user:loggedIn', { name: 'ann' })).toEqual({ userId: 1 })
  expect(await ask(ann, 'user:securedEvent', 'user:secured')).toEqual({ userId: 1, visits: 1 })
  // A connection does what it is asked in order: when this is answered, all before it is in the database.
  await getToken(ann, token)
  await first.stop()

  const second = await startOldApp()
  const again = connectTo(second)
  expect(await getToken(again, token)).toBe(token)
  expect(await ask(again, 'user:securedEvent', 'user:secured')).toEqual({ userId: 1, visits: 2 })
  await ask(again, 'user:logout', 'user:loggedOut')
  expect(await ask(again, 'user:securedEvent', 'user:error')).toEqual({ message: 'not logged in' })
  await getToken(again, token)
  expect(await database.row(token)).toMatchObject({ data: '{}' })
})

interface OldApp {
  url: string
  stop(): Promise<void>
}

async function startOldApp(): Promise<OldApp> {
  const child = spawn(process.execPath, ['-r', 'handshake-session/register', 'app.js'], {
    cwd: folder,
    env: { ...process.env, MYSQL_URL: database.url, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const stop = () => end(child)
  onTestFinished(stop)
  const exited = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the app ended with ${code}`)))
  exited.catch(() => {})
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), exited])
  return { url: String(line).replace('listening on ', ''), stop }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill()
  await once(child, 'exit')
}

function connectTo({ url }: OldApp): Socket {
  return connect(url)
}

async function getToken(client: Socket, token: string): Promise<string> {
  return (await ask<{ token: string }>(client, 'getToken', 'gotToken', { token })).token
}

/** Emits one event and waits for the other. */
function ask<T = unknown>(client: Socket, event: string, answer: string, params: unknown = {}): Promise<T> {
  const answered = next<T>(client, answer)
  client.emit(event, params)
  return answered
}
