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
const app = `
  const io = require('${root}/dist/compat/socket.io')(require('http').createServer().listen(0, '127.0.0.1'))
  io.set('authorization', (data, accept) => {
    console.log(data.address.address ? 'object' : 'string')
    accept(new Error('no ticket'))
  })
  io.httpServer.on('listening', () => {
    const url = 'http://127.0.0.1:' + io.httpServer.address().port
    const tell = (error) => (console.log(error.message), process.exit())
    require('${root}/node_modules/socket.io-client')(url).on('connect_error', tell)
  })`

function run(manifest: object, setting?: string): { told: string[]; warned: string } {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, 'app.js'), app)
  const env = { ...process.env, NODE_OPTIONS: '', ...(setting === undefined ? {} : { HANDSHAKE_SESSION: setting }) }
  const { stdout, stderr } = spawnSync(process.execPath, ['app.js'], { cwd: folder, env, encoding: 'utf8' })
  return { told: stdout.trim().split('\n'), warned: stderr }
}

const style = { errorStyle: '1.x' }
test.each<[string, object, string | undefined, string[]]>([
  ['nothing', {}, undefined, ['object', 'handshake error']],
  ['written for 1.x', { dependencies: { 'socket.io': '~1.4.5' } }, undefined, ['string', 'Error: no ticket']],
  ['client of 2.x', { devDependencies: { 'socket.io-client': '2' } }, undefined, ['string', 'Error: no ticket']],
  ['package.json', { 'handshake-session': style }, undefined, ['object', 'Error: no ticket']],
  ['environment', {}, JSON.stringify(style), ['object', 'Error: no ticket']],
  ['both', { 'handshake-session': style }, '{"errorStyle":"0.9"}', ['object', 'handshake error']],
])('%s', (_, manifest, setting, told) => {
  expect(run(manifest, setting).told).toEqual(told)
})

test('the warning says how', () => {
  const { warned } = run({})
  expect(warned).toContain(`HANDSHAKE_SESSION='{"errorStyle":"1.x"}'`)
  expect(warned).toContain('"handshake-session": {"errorStyle":"1.x"}')
})

test.each([
  ['not JSON', {}, 'yes', 'HANDSHAKE_SESSION: expected JSON'],
  ['no object', {}, '[]', 'HANDSHAKE_SESSION: expected an object'],
  ['no such option', {}, '{"errorstyle":"1.x"}', 'HANDSHAKE_SESSION: no such option: errorstyle'],
  ['a wrong value', { 'handshake-session': { refuseAt: 'door' } }, undefined, "refuseAt: expected 'http' or 'socket'"],
])('an error for %s', (_, manifest, setting, problem) => {
  expect(run(manifest, setting).warned).toContain(problem)
})
