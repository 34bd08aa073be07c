/**
 * The demo, as a visitor has it: its server in a process of its own, two tabs of one Chromium, and what is seen in them.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { resolve } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import request from 'supertest'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect, cookieOf, next } from './support/app.js'
import { collectComplaints, launchBrowser } from './support/browser.js'
import { Daemon } from './support/daemon.js'

const root = resolve(import.meta.dirname, '..')
let demo: Daemon
let browser: Browser
let url: string

beforeAll(async () => {
  demo = await startDemo('0')
  url = /http:\S+/.exec(demo.log)?.[0] ?? ''
  browser = await launchBrowser()
}, 600_000)

afterAll(async () => {
  await browser?.close()
  await demo?.stop()
})

/** The server wrote its one line, and nothing since: no error, no warning. */
afterEach(() => expect(demo.log).toMatch(/^Open \S+ in two tabs\.\n$/))

describe('two tabs of one browser', () => {
  test('no session, so no socket, and that is said calmly', async () => {
    const [tab] = await openTabs(1)
    expect(await textOf(tab, '[role=status]')).toBe(
      'No session, so no socket Log in to begin one. Until then a handshake is refused: ERR_SESSION_COOKIE_MISSING',
    )
    expect(await lines(tab)).toEqual(['refused Handshake refused No session cookie ERR_SESSION_COOKIE_MISSING'])
    expect(await tab.getByRole('button', { name: 'Log in' }).isVisible()).toBe(true)
    expect(await tab.getByRole('button', { name: 'Log out' }).isVisible()).toBe(false)
  })

  test('logging in connects both, and each shows the session from both sides', async () => {
    const [first, second] = await openTabs(2)
    await logIn(first, 'Grace')
    for (const tab of [first, second]) {
      await tab.getByText('Connected as Grace').waitFor()
      await tab.locator('[data-same=true]').waitFor()
      expect(await textOf(tab, '#http .view')).toBe('user Grace last six items none yet')
      expect(await textOf(tab, '#socket .view')).toBe('user Grace last six items none yet')
    }
    expect(await textOf(first, '#tab')).toBe('Tab 1')
    expect(await second.title()).toBe('Connected as Grace · Tab 2')
  })

  test('a change over HTTP in one shows in the other', async () => {
    const [first, second] = await openTabs(2)
    await logIn(first)
    await second.getByText('Connected as').waitFor()
    await add(first, 'HTTP', 'pear')
    await seen(second, 'pear')
    expect(await newest(second)).toBe('HTTP Tab 1 added pear')
    await seen(first, 'pear')
    expect(await newest(first)).toBe('HTTP This tab added pear')
  })

  test('a change over the socket in one shows in the other', async () => {
    const [first, second] = await openTabs(2)
    await logIn(first)
    await second.getByText('Connected as').waitFor()
    await add(second, 'socket', 'plum')
    await seen(first, 'plum')
    expect(await newest(first)).toBe('socket Tab 2 added plum')
    await seen(second, 'plum')
    expect(await newest(second)).toBe('socket This tab added plum')
  })

  test('logging out in one ends the other, which says why, and is refused from then on', async () => {
    const [first, second] = await openTabs(2)
    await logIn(first)
    await second.getByText('Connected as').waitFor()
    await logOut(second)
    await first.locator('.status code', { hasText: 'ERR_SESSION_NOT_FOUND' }).waitFor()
    expect(await textOf(first, '[role=status]')).toBe(
      'The session has ended Tab 2 logged out. Refused since: ERR_SESSION_NOT_FOUND',
    )
    expect((await lines(first)).slice(0, 3)).toEqual([
      'refused Handshake refused Session not found ERR_SESSION_NOT_FOUND',
      'end Session destroyed its sockets are closed',
      'HTTP Tab 2 logged out',
    ])
    await first.locator('#http[data-empty=true]').waitFor()
    await first.locator('#socket[data-empty=true]').waitFor()
  })

  test('after the end, logging in again in either connects both', async () => {
    const [first, second] = await openTabs(2)
    await logIn(first)
    await logOut(first)
    for (const tab of [first, second]) await tab.getByText('Refused since').waitFor() // no handshake is under way
    await logIn(second, 'Alan')
    await first.getByText('Connected as Alan').waitFor()
  })

  test('works by keyboard alone, and what is typed stays text', async () => {
    const [tab] = await openTabs(1)
    await tab.getByLabel('Your name').focus()
    await tab.keyboard.type('<i>Eve</i>')
    await tab.keyboard.press('Enter')
    await tab.getByText('Connected as <i>Eve</i>').waitFor()
    await tab.locator('#http-text:focus').waitFor()
    await tab.keyboard.type('<b onclick=x>bold</b>')
    await tab.keyboard.press('Enter')
    await seen(tab, '<b onclick=x>bold</b>')
    expect(await tab.locator('main :is(i, b)').count()).toBe(0)
    await tab.getByRole('button', { name: 'Log out' }).focus()
    await tab.keyboard.press('Enter')
    await tab.locator('#user:focus').waitFor()
  })

  test('a server that went away is said, and found again', async () => {
    const own = await startDemo('0')
    onTestFinished(() => own.kill())
    const address = /http:\S+/.exec(own.log)?.[0] ?? ''
    const [tab] = await openTabs(1, address)
    await logIn(tab)
    complaints.length = 0
    await own.kill()
    await tab.getByText('The server does not answer').waitFor()
    const again = await startDemo(new URL(address).port)
    onTestFinished(() => again.stop())
    await tab.getByText('No session, so no socket').waitFor()
    expect(await textOf(tab, '.status code')).toBe('ERR_SESSION_SIGNATURE')
    await tab.locator('[data-same=false]').waitFor() // it has asked the new server, which may stop now
    complaints.length = 0 // the browser's own words on a server that is not there
  })

  test('fits a phone of 360 px', async () => {
    const [tab] = await openTabs(1)
    await tab.setViewportSize({ width: 360, height: 740 })
    await logIn(tab)
    await add(tab, 'HTTP', 'a long item, 24 letters.')
    await seen(tab, 'a long item, 24 letters.')
    expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(360)
  })
})

describe('the server', () => {
  test('refuses what is no name and no item, and lives on after any payload', async () => {
    const cookie = cookieOf(await request(url).post('/login').send({ user: 'Ada' }).expect(200))
    const socket = connect(url, cookie)
    await next(socket, 'connect')
    for (const text of [undefined, null, 7, '', '   ', 'x'.repeat(25), [], {}]) {
      await request(url).post('/login').send({ user: text }).expect(400)
      await request(url).post('/items').set('cookie', cookie).send({ text }).expect(400)
      expect(await socket.emitWithAck('add', { text })).toMatchObject({ error: expect.any(String) })
      socket.emit('add', text, text)
      socket.emit('session', text)
    }
    expect(await socket.emitWithAck('add', null)).toMatchObject({ error: expect.any(String) })
    await request(url).post('/items').set('content-type', 'application/json').send('{').expect(400)
    await request(url).post('/items').send({ text: 'x' }).expect(401)
    await request(url).post('/logout').expect(200, 'null')
    expect(await socket.emitWithAck('session')).toEqual({ user: 'Ada', items: [] })
  })

  test('a port in use, or what is no port, is one clear line', async () => {
    const other = createServer().listen(0, 'localhost')
    onTestFinished(() => void other.close())
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const line = (why: string) => new RegExp(`exit 1\ndemo: cannot listen on localhost, port ${why}\n$`)
    await expect(startDemo(String(port))).rejects.toThrow(line(`${port}: .*EADDRINUSE.*`))
    for (const wrong of ['http', '70000', '-1', '1e3']) {
      await expect(startDemo(wrong)).rejects.toThrow(line(`${wrong}: PORT is a number from 0 to 65535`))
    }
  })
})

function startDemo(port: string): Promise<Daemon> {
  return Daemon.start({
    program: process.execPath,
    args: ['examples/demo/server.mjs'],
    folder: root,
    ready: /in two tabs/,
    // Its pages connect before anybody has logged in, which a developer is told.
    env: { PORT: port, HOST: 'localhost' },
  })
}

/** What the pages of the running test complained of: at its end, nothing. */
const complaints: string[] = []

/** Tabs of a browser that has no cookie yet, each with its first answer from the server. */
async function openTabs(count: 1, address?: string): Promise<[Page]>
async function openTabs(count: 2, address?: string): Promise<[Page, Page]>
async function openTabs(count: number, address = url): Promise<Page[]> {
  const context = await browser.newContext()
  onTestFinished(async () => {
    await context.close()
    expect(complaints.splice(0)).toEqual([])
  })
  const tabs: Page[] = []
  for (let number = 0; number < count; number++) tabs.push(await openTab(context, address))
  return tabs
}

async function openTab(context: BrowserContext, address: string): Promise<Page> {
  const tab = await context.newPage()
  collectComplaints(tab, complaints)
  await tab.goto(address)
  await tab.getByText('No session, so no socket').waitFor()
  return tab
}

async function logIn(tab: Page, name = 'Ada'): Promise<void> {
  await tab.bringToFront()
  await tab.getByLabel('Your name').fill(name)
  await tab.getByRole('button', { name: 'Log in' }).click()
  await tab.getByText(`Connected as ${name}`).waitFor()
}

async function logOut(tab: Page): Promise<void> {
  await tab.bringToFront()
  await tab.getByRole('button', { name: 'Log out' }).click()
}

async function add(tab: Page, side: 'HTTP' | 'socket', text: string): Promise<void> {
  await tab.bringToFront()
  await tab.getByLabel(side === 'HTTP' ? 'Item to add over HTTP' : 'Item to add over the socket').fill(text)
  await tab.getByRole('button', { name: `Add over ${side}` }).click()
}

/** Waits until both sides show the item, and are the same. */
async function seen(tab: Page, text: string): Promise<void> {
  await tab.locator('#http .chip', { hasText: text }).waitFor()
  await tab.locator('#socket .chip', { hasText: text }).waitFor()
  await tab.locator('[data-same=true]').waitFor()
}

/** The lines of the timeline, without their times. */
async function lines(tab: Page): Promise<string[]> {
  const entries = await tab.locator('#timeline li').all()
  return Promise.all(entries.map(async (entry) => plain(await entry.locator(':scope > :not(time)').allInnerTexts())))
}

async function newest(tab: Page): Promise<string | undefined> {
  return (await lines(tab))[0]
}

async function textOf(tab: Page, selector: string): Promise<string> {
  return plain([await tab.locator(selector).innerText()])
}

function plain(texts: string[]): string {
  return texts.join(' ').replace(/\s+/g, ' ').trim()
}
