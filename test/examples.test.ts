/** The examples, each started by the command of its first line, and used as a stranger would use it. */
import { execFile } from 'node:child_process'
import { cp, readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import request from 'supertest'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect, cookieOf, next } from './support/app.js'
import { launchBrowser } from './support/browser.js'
import { compile, makeConsumer } from './support/consumer.js'
import { Daemon, removeFolder } from './support/daemon.js'

const root = resolve(import.meta.dirname, '..')
let browser: Browser

beforeAll(async () => {
  browser = await launchBrowser()
}, 600_000)
afterAll(() => browser.close())

test('each has below 60 lines, and its first one is the command that runs it', async () => {
  const files = (await readdir(join(root, 'examples'))).filter((name) => /\.m[jt]s$/.test(name))
  expect(files).toEqual(['basic.mjs', 'passport.mjs', 'tickets.mjs', 'two-nodes.mjs', 'typescript.mts', 'update.mjs'])
  for (const file of files) {
    const lines = (await readFile(join(root, 'examples', file), 'utf8')).trimEnd().split('\n')
    expect(lines[0]).toMatch(new RegExp(`^// node examples/${file}[ ,:]`))
    expect(lines.length, file).toBeLessThan(60)
  }
})

test('basic: the socket has the session, sees what HTTP changes, and closes at the logout of another tab', async () => {
  const [url] = await start('examples/basic.mjs')
  const [tab, other] = await openTabs(url, 2)
  await socketSays(tab, 'ERR_SESSION_COOKIE_MISSING')
  await click(tab, 'log in')
  await socketSays(tab, 'ann, 0 visits')
  await click(tab, 'visit')
  await socketSays(tab, 'ann, 1 visits')
  await click(other, 'log out')
  await socketSays(tab, 'ERR_SESSION_NOT_FOUND')
})

test('passport: the socket has its user, nobody else gets one, and the logout of another tab closes it', async () => {
  const [url] = await start('examples/passport.mjs')
  const [tab, other] = await openTabs(url, 2)
  await socketSays(tab, 'No session cookie')
  await tab.locator('[type=password]').fill('wrong')
  await click(tab, 'log in')
  await socketSays(tab, 'No session cookie')
  await tab.locator('[type=password]').fill('secret')
  await click(tab, 'log in')
  await socketSays(tab, 'Ann')
  await click(other, 'log out')
  await socketSays(tab, 'Log in first')
})

test('two-nodes: logged in on one, the socket is on both; logged out on one, it closes on both', async () => {
  const [first, second] = await start('examples/two-nodes.mjs', /http.*http.*\n/s)
  const context = await newContext()
  const [tab, other] = [await open(context, first), await open(context, second)]
  await click(tab, 'log in')
  await other.reload()
  const processes = [await socketSays(tab, /^ann, process \d+$/), await socketSays(other, /^ann, process \d+$/)]
  expect(processes[0]).not.toBe(processes[1])
  await click(tab, 'log out')
  await socketSays(other, 'ERR_SESSION_NOT_FOUND')
})

test('tickets: a page of another site has the session by its ticket, once, until the logout', async () => {
  const [url] = await start('examples/tickets.mjs')
  const context = await newContext()
  const here = await open(context, url)
  await click(here, 'log in')
  const [elsewhere] = await Promise.all([context.waitForEvent('page'), click(here, 'go to the other site')])
  await socketSays(elsewhere, 'ann')
  expect(new URL(elsewhere.url()).hostname).not.toBe(new URL(url).hostname)
  const again = await open(context, elsewhere.url())
  await socketSays(again, 'ERR_SESSION_TICKET')
  const without = await open(context, new URL('/', elsewhere.url()).href)
  await socketSays(without, 'ERR_SESSION_TICKET')
  await click(here, 'log out')
  await socketSays(elsewhere, /^ERR_SESSION_/)
})

test('update: 20 requests at once lose some, 20 updates make 20', async () => {
  const env = { ...process.env, PORT: '0' }
  const { stdout } = await promisify(execFile)(process.execPath, ['examples/update.mjs'], { cwd: root, env })
  const [, requests, updates] = /requests at once: (\d+)\n20 updates at once: (\d+)\n$/.exec(stdout) ?? []
  expect(Number(requests)).toBeLessThan(20)
  expect(Number(updates)).toBe(20)
})

test('typescript: compiles in strict mode, its wrong uses do not, and it runs', async () => {
  const folder = await makeConsumer()
  onTestFinished(() => removeFolder(folder))
  await cp(join(root, 'examples/typescript.mts'), join(folder, 'app.mts'))
  const options = [
    '--strict',
    '--target',
    'es2022',
    '--module',
    'node16',
    '--types',
    'node',
    '--skipLibCheck',
    'app.mts',
  ]
  expect(await compile('typescript', options, folder)).toBe('')

  const [url] = await start(join(folder, 'app.mjs'))
  const cookie = cookieOf(await request(url).get('/login').expect(302))
  const client = connect(url, cookie)
  const items = new Promise((resolve) => client.once('items', (...args) => resolve(args)))
  expect(await items).toEqual(['ann', ['apple']])
  expect(await client.emitWithAck('add', 'pear')).toBe(2)
  const [ended, closed] = [next(client, 'ended'), next(client, 'disconnect')]
  await request(url).get('/logout').set('cookie', cookie).expect(302)
  expect(await ended).toBe('destroyed')
  await closed
})

/** Runs it until the test ends; the URLs that it prints. It complains of nothing. */
async function start(file: string, ready = /http.*\n/): Promise<[string, string]> {
  const daemon = await Daemon.start({
    program: process.execPath,
    args: [file],
    folder: root,
    ready,
    // Its pages connect before anybody has logged in, which a developer is told.
    env: { PORT: '0', NODE_OPTIONS: '--disable-warning=SessionWarning' },
  })
  onTestFinished(async () => {
    expect(daemon.log).toMatch(/^(http:\/\/localhost:\d+\n)+$/)
    await daemon.stop()
  })
  const [first = '', second = ''] = daemon.log.match(/http:\S+/g) ?? []
  return [first, second]
}

async function newContext(): Promise<BrowserContext> {
  const context = await browser.newContext()
  onTestFinished(() => context.close())
  return context
}

async function openTabs(url: string, count: 2): Promise<[Page, Page]>
async function openTabs(url: string, count: number): Promise<Page[]> {
  const context = await newContext()
  return Promise.all(Array.from({ length: count }, () => open(context, url)))
}

async function open(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  return page
}

async function click(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name }).click()
}

/** Waits until the page shows this as what its socket says. */
async function socketSays(page: Page, text: string | RegExp): Promise<string> {
  const output = page.locator('output', { hasText: typeof text === 'string' ? new RegExp(`^${text}$`) : text })
  await output.waitFor()
  return output.innerText()
}
