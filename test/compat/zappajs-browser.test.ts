/**
 * The client protocol of zappajs in Chromium: zappajs-client as pages have it, on a socket.io-client 2.5, over the real
 * key request, with sessions in memory and in Redis; and the old app of `examples/old/zappajs` as it is started.
 */
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { RedisStore } from 'connect-redis'
import session from 'express-session'
import * as zappajs from 'handshake-session/compat/zappajs'
import type { Browser, Page } from 'playwright-core'
import { createClient } from 'redis'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type App, ask, cookieOf, startApp } from '../support/app.js'
import { launchBrowser } from '../support/browser.js'
import { Daemon } from '../support/daemon.js'
import { type Service, startRedis } from '../support/services.js'
import { connectZappa } from './zappajs-apps'

const require = createRequire(import.meta.url)
const example = resolve(import.meta.dirname, '../../examples/old/zappajs')
const page = `<!doctype html><title>zappajs</title><link rel="icon" href="data:,">
<script src="/socket.io-client.js"></script><script src="/zappajs-client.js"></script>
<script>
  window.readies = []
  window.start = (options) => {
    window.zappa = Zappa(options)
    zappa.ready(function () { readies.push(String(this.key)) })
  }
  window.tell = (event, data) => new Promise((answer) => zappa.emit(event, data, answer))
</script>`

let browser: Browser
let redis: Service

beforeAll(async () => {
  browser = await launchBrowser()
  redis = await startRedis()
}, 600_000)

afterAll(async () => {
  await browser?.close()
  await redis?.stop()
})

describe.each(['MemoryStore', 'connect-redis'])('zappajs-client in Chromium, sessions in %s', (kind) => {
  test('is bound, reads and writes the session, is bound again on reconnect, and is unbound by logout', async () => {
    const app = await startPage(kind === 'MemoryStore' ? new session.MemoryStore() : await redisStore())
    const tab = await openTab()
    await tab.goto(`${app.url}/login/ann`)
    await tab.goto(`${app.url}/page`)
    await tab.evaluate('start({})')
    await tab.waitForFunction('readies.length === 1')
    expect(await tab.evaluate('zappa.settings')).toEqual({ zappa_prefix: '/zappa', zappa_channel: '__local' })
    const key = await tab.evaluate('readies[0]')
    expect(key).toMatch(/^[0-9a-f-]{36}$/)
    expect(await tab.evaluate(`tell('set', { item: 'tea' })`)).toMatchObject({ user: 'ann' })
    expect(await tab.evaluate(`tell('session')`)).toMatchObject({ user: 'ann', item: 'tea' })
    const seen = `fetch('/session').then((answer) => answer.json())`
    expect(await tab.evaluate(seen)).toMatchObject({ user: 'ann', item: 'tea' })

    await tab.evaluate('zappa.io.io.engine.close()')
    await tab.waitForFunction('readies.length === 2')
    expect(await tab.evaluate('readies[1]')).toBe(key)
    const { __socket: channels } = (await tab.evaluate(seen)) as { __socket: object }
    expect(channels).toEqual({ __local: { key, id: await tab.evaluate('zappa.io.id') } })

    await tab.evaluate(`fetch('/logout')`)
    expect(await tab.evaluate(`tell('session')`)).not.toHaveProperty('user')
    expect(await tab.evaluate(seen)).not.toHaveProperty('user')
  })
})

test('kept: the client is ready also when binding failed, with no key', async () => {
  const app = await startPage(new session.MemoryStore())
  const tab = await openTab()
  await tab.goto(`${app.url}/page`)
  await tab.evaluate(`start({ zappa_server: '/nowhere' })`)
  await tab.waitForFunction('readies.length === 1')
  expect(await tab.evaluate('readies[0]')).toBe('null')
  expect(await tab.evaluate(`tell('session')`)).not.toHaveProperty('user')
})

describe('the old app', () => {
  test('serves its page and zappajs-client to two tabs of one browser', async () => {
    const url = await startExample()
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const [first, second] = [await context.newPage(), await context.newPage()]
    for (const tab of [first, second]) {
      await tab.goto(url)
      await tab.getByText('not logged in').waitFor()
    }
    await first.getByLabel('Your name').fill('Ann')
    await first.getByRole('button', { name: 'Log in' }).click()
    await first.getByText('Ann, 0 lines said').waitFor()
    await second.getByLabel('What you say').fill('hello')
    await second.getByRole('button', { name: 'Say', exact: true }).click()
    for (const tab of [first, second]) {
      await tab.getByText('Ann: hello').waitFor()
      await tab.getByText('Ann, 1 lines said').waitFor()
    }
  })

  test('an Express route reaches the socket of its session', async () => {
    const url = await startExample()
    const cookie = cookieOf(await request(url).get('/login/ann'))
    const { socket } = await connectZappa({ url }, cookie)
    const pinged = new Promise((done) => socket.once('pinged', done))
    await request(url).get('/ping').set('cookie', cookie).expect(200)
    expect(await pinged).toEqual({ name: 'ann' })
    socket.emit('said', { text: 'hello' })
    expect(await ask(socket, 'who am i')).toEqual({ name: 'ann', lines: 1 })
    expect((await request(url).get('/me').set('cookie', cookie)).body).toEqual({ name: 'ann', lines: 1 })
  })
})

/** An app that serves the page, binds its clients, and answers `session` and `set` with the session. */
async function startPage(store: session.Store): Promise<App> {
  const app = await startApp({ attach: false, io: { allowEIO3: true }, store })
  app.express.get('/page', (_req, res) => void res.type('html').send(page))
  app.express.get('/socket.io-client.js', (_req, res) => res.sendFile(require.resolve('client-2/dist/socket.io.js')))
  app.express.get('/zappajs-client.js', (_req, res) => res.sendFile(`${example}/client.js`))
  const zappa = zappajs.bind({ app: app.express, io: app.io, store })
  onTestFinished(() => zappa.close())
  zappa.on('session', (_data, ack, ctx) => ack?.(JSON.parse(JSON.stringify(ctx.session))))
  zappa.on('set', async (data, ack, ctx) => {
    ack?.(JSON.parse(JSON.stringify(ctx.session)))
    await Promise.resolve()
    Object.assign(ctx.session ?? {}, data)
  })
  return app
}

async function redisStore(): Promise<session.Store> {
  const client = createClient({ url: redis.url })
  await client.connect()
  onTestFinished(async () => void (await client.close()))
  return new RedisStore({ client })
}

async function openTab(): Promise<Page> {
  const context = await browser.newContext()
  const tab = await context.newPage()
  onTestFinished(() => context.close())
  return tab
}

async function startExample(): Promise<string> {
  const app = await Daemon.start({
    program: process.execPath,
    args: ['app.js'],
    folder: example,
    ready: /listening on/,
    env: { PORT: '0' },
  })
  onTestFinished(() => app.stop())
  return app.log.replace('listening on ', '').trim()
}
