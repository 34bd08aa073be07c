/**
 * The old app in `examples/old/socket.io-sessions`, unedited and started by its one command, on Socket.IO 4 and in Chromium.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { launchBrowser } from '../support/browser.js'

const folder = join(import.meta.dirname, '../../examples/old/socket.io-sessions')
let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
}, 600_000)
afterAll(() => browser?.close())

test('per connection: pings count in the session, which is saved on disconnect and found on the next visit', async () => {
  const app = await startOldApp()
  const page = await open(app.url)
  await ping(page, '{"pings":1,"visits":1}')
  await ping(page, '{"pings":2,"visits":1}')
  await page.goto(`${app.url}/session`)
  expect(await app.line()).toBe('Client disconnected. Saving session.')
  await page.goto(app.url)
  await page.getByText('Connect!').waitFor()
  await ping(page, '{"pings":3,"visits":2}')
})

test('per message: each ping is in the session that HTTP sees; after a logout the client is told to refresh', async () => {
  const app = await startOldApp('per_message')
  const page = await open(app.url)
  await ping(page, '{"pings":1,"visits":1}')
  await ping(page, '{"pings":2,"visits":1}')
  expect(await page.evaluate(`fetch('/logout').then(function(answer){ return answer.text() })`)).toBe('bye')
  await ping(page, '"Session invalid, please refresh."')
})

interface OldApp {
  url: string
  /** What the app prints next. */
  line(): Promise<unknown>
}

async function startOldApp(...args: string[]): Promise<OldApp> {
  const child = spawn(process.execPath, ['-r', 'handshake-session/register', 'app.js', ...args], {
    cwd: folder,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(async () => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit')
  })
  const exited = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the app ended with ${code}`)))
  exited.catch(() => {})
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const line = async () => (await Promise.race([lines.next(), exited])).value
  return { url: String(await line()).replace('Listening on ', ''), line }
}

async function open(url: string): Promise<Page> {
  const context = await browser.newContext()
  onTestFinished(() => context.close())
  const page = await context.newPage()
  await page.goto(url)
  await page.getByText('Connect!').waitFor()
  return page
}

async function ping(page: Page, answer: string): Promise<void> {
  await page.getByRole('button', { name: 'Ping!' }).click()
  await page.getByText(`Message: ${answer}`).waitFor()
}
