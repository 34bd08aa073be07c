/**
 * `register` and what is around an old app: a zappajs that is whole, a Socket.IO that is too old, the stores of 0.9.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import request from 'supertest'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ask, connect, cookieOf, next } from '../support/app.js'
import { clients } from '../support/clients.js'
import { share } from './zappajs-apps.js'

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
  /** In the manner of zappajs 6: the root scope, which calls its own io-session in its order. */
  const zappa = `
    var bound = exports.session = require('./io-session')
    exports.run = function (main) {
      var express = require('express'), app = express(), server = require('http').createServer(app)
      var io = require('socket.io')(server), handlers = [], middlewares = []
      var context = {
        app: app,
        use_session: function (options) {
          context.session_store = options.store
          app.use(require('express-session')(options))
        },
        get: function (path, handler) {
          app.get(path, function (req, res) {
            handler.call({ session: req.session, params: req.params, res: res, json: function (body) { res.json(body) } })
          })
        },
        io_use: function (middleware) { middlewares.unshift(middleware) },
        on: function (event, handler) {
          var last = function (ctx) { return handler.call(ctx, ctx.data, ctx.ack, ctx) }
          handlers.push([event, middlewares.reduce(function (inner, middleware) {
            return function (ctx) { return middleware(ctx, ctx.res, function () { return inner(ctx) }) }
          }, last)])
        }
      }
      app.set('zappa_prefix', '/zappa').set('zappa_channel', '__local')
      context.on('__zappa_settings', function (data, ack) { ack(app.settings) })
      bound.bind_middleware({ context: context })
      main.call(context)
      bound.bind_express({ context: context })
      bound.bind_io({ context: context })
      io.on('connection', function (socket) {
        var client = {}
        handlers.forEach(function (pair) {
          socket.on(pair[0], function (data, ack) {
            pair[1]({ id: socket.id, socket: socket, client: client, data: data, ack: ack, res: {} })
          })
        })
      })
      server.listen(0, '127.0.0.1', function () { console.log('Listening on ' + server.address().port + '.') })
    }`
  const app = `
    var zappa = require('zappajs'), session = require('express-session')
    console.log(require('./io-session').mine, zappa.session.own, Object.keys(zappa.session).sort().filter(function (name) { return /^bind_/.test(name) }))
    zappa.run(function () {
      this.use_session({ secret: 'a', resave: false, saveUninitialized: false, store: new session.MemoryStore() })
      this.app.get('/login/:user', function (req, res) {
        req.session.user = req.params.user
        res.end()
      })
      this.app.get('/session', function (req, res) { res.json(req.session) })
      this.app.get('/logout', function (req, res) { req.session.destroy(function () { res.end() }) })
      this.on('count', function () {
        this.session.count = (this.session.count || 0) + 1
        this.ack([this.session.user, this.session.count])
      })
    })`
  const files = {
    'app.js': app,
    'io-session.js': 'exports.mine = "mine"',
    'package.json': '{ "name": "an-app" }',
    'node_modules/zappajs/package.json': '{ "name": "zappajs", "version": "6.5.0", "main": "lib/zappajs.js" }',
    'node_modules/zappajs/lib/zappajs.js': zappa,
    'node_modules/zappajs/lib/io-session.js': 'exports.own = true',
  }
  const packages = ['express', 'express-session', 'socket.io']
  const links = { 'handshake-session': root, ...Object.fromEntries(packages.map((name) => [name, here(name)])) }

  async function start() {
    const args = ['-r', 'handshake-session/register', 'app.js']
    const child = spawn(process.execPath, args, { cwd: layOut(files, links), stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(async () => {
      if (child.kill()) await once(child, 'exit')
    })
    let printed = ''
    for await (const chunk of child.stdout) {
      printed += chunk
      if (printed.includes('.')) break
    }
    return { printed, url: `http://127.0.0.1:${/on (\d+)\./.exec(printed)?.[1]}` }
  }

  test('is itself with its io-session replaced; the file of an app by that name is its own', async () => {
    const { printed } = await start()
    expect(printed).toContain("mine undefined [ 'bind_express', 'bind_io', 'bind_middleware' ]\n")
  })

  test.each(clients.filter(({ eio3 }) => eio3))(
    'a whole app, client $version: the session is read and written, and over with a logout',
    async ({ connect: generation }) => {
      const { url } = await start()
      const cookie = cookieOf(await request(url).get('/login/ann').expect(200))
      const client = connect(url, cookie, {}, generation)
      await next(client, 'connect')
      expect(await ask(client, 'count', null)).toEqual([null, 1])
      expect(await share({ url }, cookie, client)).toEqual(expect.any(String))
      expect([await ask(client, 'count', null), await ask(client, 'count', null)]).toEqual([
        ['ann', 1],
        ['ann', 2],
      ])
      await request(url)
        .get('/session')
        .set('cookie', cookie)
        .expect(200, /"count":2/)
      await request(url).get('/logout').set('cookie', cookie).expect(200)
      // Of its own, as before it was bound.
      expect(await ask(client, 'count', null)).toEqual([null, 2])
      const { body } = await request(url).get('/session').set('cookie', cookie)
      expect(body).not.toHaveProperty('user')
    },
  )
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
