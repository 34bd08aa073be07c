/**
 * `node -r handshake-session/register app.js`: an old app runs, and not a line of it is edited.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { connect, cookieOf } from '../support/app.js'
import { signedCookie } from './handshakes.js'
import { startOldApp } from './old-app.js'
import { fate, generations } from './old-server.js'

const root = resolve(import.meta.dirname, '../..')

/** What a script prints that runs with the names registered. */
function registered(script: string): unknown {
  const run = ['-r', 'handshake-session/register', '-p', `JSON.stringify(${script})`]
  return JSON.parse(execFileSync(process.execPath, run, { cwd: root, encoding: 'utf8' }))
}

test('the app is the one of the README, with its own require lines', () => {
  const app = readFileSync(resolve(root, 'examples/old/session.io/app.js'), 'utf8')
  expect(app.match(/require\('[^']+'\)/g)).toEqual(
    ['express', 'http', 'sessionstore', 'socket.io', 'session.io'].map((name) => `require('${name}')`),
  )
})

describe.each(generations)('the app of session.io, client $version', ({ connect: generation }) => {
  test('with its cookie a client connects, and the app sees its session', async () => {
    const app = await startOldApp('session.io')
    const cookie = cookieOf(await request(app.url).get('/').expect(200))
    expect(await fate(connect(app.url, cookie, {}, generation))).toBe('connect')
    expect(await app.prints(/\{[\s\S]*cookie:[\s\S]*\}\n/)).toContain('originalMaxAge')
  })

  test('without it a client is refused, and the process serves the next', async () => {
    const app = await startOldApp('session.io')
    expect(await fate(connect(app.url, undefined, {}, generation))).toBe('handshake error')
    expect(await fate(connect(app.url, signedCookie('forged'), {}, generation))).toBe('handshake error')
    expect(app.process.exitCode).toBeNull()
    const cookie = cookieOf(await request(app.url).get('/').expect(200))
    expect(await fate(connect(app.url, cookie, {}, generation))).toBe('connect')
    expect(await app.prints(/undefined|\{[\s\S]*cookie:[\s\S]*\}\n/)).toContain('originalMaxAge')
  })
})

describe('names', () => {
  test.each([
    'session.io',
    'socket.io',
    'express-socket.io-session',
    'socket.io-express-session',
    'session.socket.io',
    'passport.socketio',
  ])('%s is ours', (name) => {
    expect(registered(`require.resolve('${name}')`)).toBe(resolve(root, `dist/compat/${name}.js`))
  })

  test.each([
    ['socket.io/package.json', `require('socket.io/package.json').name`, 'socket.io'],
    ['socket.io-client', `require.resolve('socket.io-client').includes('compat')`, false],
    ['constructor', `(() => { try { require('constructor') } catch (e) { return e.code } })()`, 'MODULE_NOT_FOUND'],
  ])('%s stays what it is', (_, script, value) => {
    expect(registered(script)).toBe(value)
  })

  test('this package itself gets the real Socket.IO', () => {
    expect(registered(`Object.getPrototypeOf(require('socket.io').Server) === require('socket.io').Server`)).toBe(false)
    expect(registered(`typeof require('handshake-session/compat/socket.io')().of`)).toBe('function')
  })
})
