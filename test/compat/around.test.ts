/**
 * `register` and what is around an old app: a zappajs that is whole, a Socket.IO that is too old, the stores of 0.9.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

/** A folder of an app with these files, and with packages of this repository under the names that it knows them by. */
function layOut(files: Record<string, string>, links: Record<string, string>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'around-')))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  for (const [name, target] of Object.entries(links)) {
    const path = join(folder, 'node_modules', name)
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(target, path)
  }
  return folder
}

const here = (name: string) => join(root, 'node_modules', name)

describe('zappajs', () => {
  /** In the manner of zappajs 6: the root scope that calls its own io-session, in its order. */
  const zappa = `
    var session = require('./io-session')
    exports.session = session
    exports.app = function (main) {
      var app = require('express')(), io = require('socket.io')(require('http').createServer(app))
      var context = { app: app, io: io, middlewares: [], settings: {} }
      return main.call(context, context)
    }`
  const app = `
    var zappa = require('zappajs')
    var names = zappa.app(function () { return Object.keys(zappa.session).sort() })
    console.log(JSON.stringify([zappa.session.own === true, names, typeof zappa.app, Boolean(zappa.session.bind_io)]))
    console.log(require('./io-session').mine)
    process.exit()`
  const files = {
    'app.js': app,
    'io-session.js': 'exports.mine = "mine"',
    'package.json': '{ "name": "an-app" }',
    'node_modules/zappajs/package.json': '{ "name": "zappajs", "version": "6.5.0", "main": "lib/zappajs.js" }',
    'node_modules/zappajs/lib/zappajs.js': zappa,
    'node_modules/zappajs/lib/io-session.js': 'exports.own = true',
  }
  const links = { 'handshake-session': root, express: here('express'), 'socket.io': here('socket.io') }
  const run = (...args: string[]) =>
    execFileSync(process.execPath, [...args, 'app.js'], { cwd: layOut(files, links), encoding: 'utf8' }).split('\n')

  test('is itself with its io-session replaced; the file of an app by that name is its own', () => {
    const [first = '', second] = run('-r', 'handshake-session/register')
    const [own, names, app, bound] = JSON.parse(first)
    expect([own, app, bound]).toEqual([false, 'function', true])
    expect(names).toEqual(expect.arrayContaining(['bind_express', 'bind_io', 'bind_middleware']))
    expect(second).toBe('mine')
  })
})

describe('Socket.IO beside this package', () => {
  const dependencies = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).dependencies)
  test.each([
    ['0.9.19', 'socket.io-0'],
    ['1.7.4', 'socket.io-1'],
    ['2.5.1', 'socket.io-2'],
  ])('%s: one error, with what to do', (version, name) => {
    const links = Object.fromEntries([...dependencies, 'express-session'].map((each) => [each, here(each)]))
    const folder = layOut({ 'app.js': "require('socket.io')" }, { ...links, 'socket.io': here(name) })
    const copy = join(folder, 'node_modules/handshake-session')
    cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true })
    cpSync(join(root, 'package.json'), join(copy, 'package.json'))
    const { stderr } = spawnSync(process.execPath, ['-r', 'handshake-session/register', 'app.js'], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect(stderr.match(/^\w*Error.*$/gm)).toEqual([
      expect.stringContaining(`found socket.io ${version}: npm install socket.io@4`),
    ])
  })
})

test('socket.io/lib/stores/redis, as 0.9 had it: one warning, which names an adapter', () => {
  const app = `
    var io = require('socket.io').listen(require('http').createServer())
    var RedisStore = require('socket.io/lib/stores/redis')
    io.set('store', new RedisStore({ redisPub: {} }))
    io.set('store', new (require('socket.io').RedisStore)())
    io.set('store', new (require('socket.io').MemoryStore)())
    console.log(io.get('store') instanceof require('socket.io').MemoryStore)`
  const folder = layOut({ 'app.js': app }, { 'handshake-session': root, 'socket.io': here('socket.io') })
  const args = ['-r', 'handshake-session/register', 'app.js']
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  expect(stdout).toBe('true\n')
  expect(stderr.match(/LegacySettingWarning.*/g)).toEqual([expect.stringContaining('@socket.io/redis-adapter')])
})
