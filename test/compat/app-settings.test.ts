/**
 * The options of the shims from outside: `HANDSHAKE_SESSION`, the app's package.json, and what that tells by itself.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
/** An app that tells how it refuses, and what its handshake has as address. */
const app = (options: object) => `
  const server = require('http').createServer().listen(0, '127.0.0.1')
  const io = require('${root}/dist/compat/socket.io')(server, ${JSON.stringify(options)})
  io.set('authorization', (data, accept) => {
    console.log(data.address.address ? 'object' : 'string')
    accept(new Error('no ticket'))
  })
  io.httpServer.on('listening', () => {
    const url = 'http://127.0.0.1:' + io.httpServer.address().port
    const tell = (error) => (console.log(error.message), process.exit())
    require('${root}/node_modules/socket.io-client')(url).on('connect_error', tell)
  })`

/** @param options in code */
function run(
  manifest: object | string,
  setting?: string,
  options: object = {},
  main = 'app.js',
): { told: string[]; warned: string } {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'package.json'), typeof manifest === 'string' ? manifest : JSON.stringify(manifest))
  writeFileSync(join(folder, 'app.js'), app(options))
  const env = { ...process.env, NODE_OPTIONS: '', ...(setting === undefined ? {} : { HANDSHAKE_SESSION: setting }) }
  const { stdout, stderr } = spawnSync(process.execPath, [main], { cwd: folder, env, encoding: 'utf8' })
  return { told: stdout.trim().split('\n'), warned: stderr }
}

const style = { errorStyle: '1.x' }
test.each<[string, object, string | undefined, string[]]>([
  ['nothing', {}, undefined, ['object', 'handshake error']],
  ['written for 1.x', { dependencies: { 'socket.io': '~1.4.5' } }, undefined, ['string', 'Error: no ticket']],
  ['client of 2.x', { devDependencies: { 'socket.io-client': '2' } }, undefined, ['string', 'Error: no ticket']],
  ['package.json', { 'handshake-session': style }, undefined, ['object', 'Error: no ticket']],
  ['environment', {}, JSON.stringify(style), ['object', 'Error: no ticket']],
  ['written for 10.x', { dependencies: { 'socket.io': '10.0.0' } }, undefined, ['object', 'handshake error']],
  ['both', { 'handshake-session': style }, '{"errorStyle":"0.9"}', ['object', 'handshake error']],
])('%s', (_, manifest, setting, told) => {
  expect(run(manifest, setting).told).toEqual(told)
})

test('package.json of an app that is started by its folder', () => {
  expect(run({ main: 'app.js', 'handshake-session': style }, undefined, {}, '.').told).toEqual([
    'object',
    'Error: no ticket',
  ])
})

test('package.json with a byte order mark, which npm takes', () => {
  const manifest = `\uFEFF${JSON.stringify({ 'handshake-session': style })}`
  expect(run(manifest).told).toEqual(['object', 'Error: no ticket'])
})

test('code comes first', () => {
  const { told } = run({}, '{"errorStyle":"1.x","legacyAddress":true}', { errorStyle: '0.9', legacyAddress: false })
  expect(told).toEqual(['string', 'handshake error'])
})

test('code comes first, in session.io', () => {
  const text = `
    const { MemoryStore } = require('${root}/node_modules/express-session')
    const store = new MemoryStore()
    store.set('ann-id', { cookie: {} })
    const parser = require('${root}/node_modules/cookie-parser')('secret')
    const sessionIO = require('${root}/dist/compat/session.io')
    for (const options of [{}, { allowUnsigned: false }]) {
      const data = { headers: { cookie: 'connect.sid=ann-id' } }
      sessionIO(parser, store, undefined, undefined, options)(data, (error, allowed) => console.log(allowed))
    }`
  const env = { ...process.env, HANDSHAKE_SESSION: '{"allowUnsigned":true}' }
  const { stdout } = spawnSync(process.execPath, ['-e', text], { env, encoding: 'utf8' })
  expect(stdout.trim().split('\n').sort()).toEqual(['false', 'true'])
})

test('the warning says how', () => {
  const { warned } = run({})
  expect(warned).toContain(`HANDSHAKE_SESSION='{"errorStyle":"1.x"}'`)
  expect(warned).toContain('"handshake-session": {"errorStyle":"1.x"}')
})

test.each([
  ['not JSON', {}, 'yes', 'HANDSHAKE_SESSION: expected JSON'],
  ['no object', {}, '[]', 'HANDSHAKE_SESSION: expected an object'],
  ['null', {}, 'null', 'HANDSHAKE_SESSION: expected an object'],
  ['a name of Object', {}, '{"constructor":1}', 'HANDSHAKE_SESSION: no such option: constructor'],
  ['no such option', {}, '{"errorstyle":"1.x"}', 'HANDSHAKE_SESSION: no such option: errorstyle'],
  ['a wrong value', { 'handshake-session': { refuseAt: 'door' } }, undefined, "refuseAt: expected 'http' or 'socket'"],
])('an error for %s', (_, manifest, setting, problem) => {
  expect(run(manifest, setting).warned).toContain(problem)
})
