/**
 * Runs an old app of examples/old as its users have it: its own folder, the packages of its time under their names, and
 * `node -r handshake-session/register app.js`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const require = createRequire(import.meta.url)
const express3 = dirname(require.resolve('express-3/package.json'))
/** Under their own names; of others an app has the ones of its time. */
const packages = [
  'connect',
  'cookie',
  'express-session',
  'jsonwebtoken',
  'passport',
  'passport-local',
  'passport.socketio',
  'socket.io',
  'socketio-jwt',
]
const sessionstore = dirname(require.resolve('sessionstore/package.json'))
/** Where the packages of this repository are. */
const installed = dirname(express3)

export interface OldApp {
  url: string
  process: ChildProcess
  /** What the app prints next, once it matches. */
  prints(text: RegExp): Promise<string>
}

/** Starts the app, waits for its "Listening", and ends it after the test. */
export async function startOldApp(name: string): Promise<OldApp> {
  const folder = layOut(name)
  const port = await freePort()
  const child = spawn(process.execPath, ['-r', 'handshake-session/register', 'app.js'], {
    cwd: folder,
    env: { ...process.env, PORT: String(port), NODE_OPTIONS: '' },
  })
  onTestFinished(async () => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit')
    rmSync(folder, { recursive: true })
  })
  const app = { url: `http://127.0.0.1:${port}`, process: child, prints: reader(child) }
  await app.prints(/Listening/)
  return app
}

/** The app's folder with its node_modules. Express 3 is installed here as express-3, since `express` is 5. */
function layOut(name: string): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'old-app-')))
  cpSync(join(root, 'examples/old', name), folder, { recursive: true })
  link(folder, 'express', express3)
  link(folder, 'handshake-session', root)
  for (const each of packages) link(folder, each, join(installed, each))
  copy(folder, 'sessionstore', sessionstore)
  return folder
}

function link(folder: string, name: string, target: string): void {
  const path = join(folder, 'node_modules', name)
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path)
}

/** A copy looks for `express` in the app's folder, where a link would look beside what it leads to. */
function copy(folder: string, name: string, from: string): void {
  cpSync(from, join(folder, 'node_modules', name), { recursive: true })
  const { dependencies } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'))
  for (const each of Object.keys(dependencies)) link(folder, each, join(installed, each))
}

/** The app takes its port from outside, and does not tell which one it got. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

function reader(child: ChildProcess): OldApp['prints'] {
  let unread = ''
  let complaints = ''
  child.stdout?.on('data', (data) => {
    unread += data
  })
  child.stderr?.on('data', (data) => {
    complaints += data
  })
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`it ended with ${code}: ${complaints}`)))
  ended.catch(() => {})
  return async (text) => {
    for (let found = text.exec(unread); ; found = text.exec(unread)) {
      if (!found) await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended])
      else {
        unread = unread.slice(found.index + found[0].length)
        return found[0]
      }
    }
  }
}
