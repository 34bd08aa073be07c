/**
 * The script of socket.io-sessions: its rows of LEGACY.md (c) over HTTP, and in pages of Chromium, with the client that
 * Socket.IO 4 serves and with 2.5.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import cookieParser from 'cookie-parser'
import { enable, type Options } from 'handshake-session/compat/socket.io-sessions'
import type { Browser, Page } from 'playwright-core'
import { Server, type Socket } from 'socket.io'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { idOf, secret } from '../support/app.js'
import { collectComplaints, launchBrowser } from '../support/browser.js'
import { CountingStore } from '../support/counting-store.js'
import { connectSid, generations, type Session, type SessionsApp, scriptPath, start } from './sessions-server.js'

describe('over HTTP', () => {
  const nasty = `';alert(1)//</script>\u2028\u2029"é${'\u{1f600}'}`
  const withSid = (sid: string) => start({ rawSid: true, cutter: () => sid })

  test('F: XSSI: a token, no session id; not to be kept by anybody; refused to another site', async () => {
    const app = await start()
    const cookie = await app.login()
    const get = (headers: Record<string, string>) =>
      request(app.url)
        .get(scriptPath)
        .set({ cookie, ...headers })
        .buffer()
    const own = await get({ 'sec-fetch-site': 'same-origin', referer: `${app.url}/page` }).expect(200)
    expect(own.text).toMatch(/^var CONNECT_SID = "[\w-]{60,}";\n/)
    expect(own.text).not.toContain(idOf(cookie))
    expect(own.headers).toMatchObject({
      'cache-control': 'no-store',
      vary: 'Cookie',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    })
    for (const foreign of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site', referer: 'https://evil.example/' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { referer: 'https://evil.example/page' },
    ]) {
      const { text, headers } = await get(foreign as Record<string, string>).expect(403)
      expect(text).toBe('')
      expect(headers['cross-origin-resource-policy']).toBe('same-origin')
    }
  })

  test('O: with rawSid the script has the id, as it always had', async () => {
    const app = await start({ rawSid: true })
    const cookie = await app.login()
    expect(await connectSid(app, cookie)).toBe(idOf(cookie))
  })

  test('K: the script of 0.4 is the snippet alone: its pages know the id', async () => {
    const app = await start(generations['0.4'])
    const { text } = await request(app.url)
      .get(scriptPath)
      .set('cookie', await app.login())
      .buffer()
      .expect(200)
    expect(text).toContain('io.SessionSocket = function')
    expect(text).not.toMatch(/^var CONNECT_SID/m)
  })

  test('F: whatever the id, it stays one string, in HTML and in old engines', async () => {
    const app = await withSid(nasty)
    expect(await connectSid(app)).toBe(nasty)
    const { text } = await request(app.url).get(scriptPath).buffer()
    const [line] = text.split('\n')
    expect(line).not.toMatch(/[<\u2028\u2029]/)
    expect(new Function(`${line} return CONNECT_SID`)()).toBe(nasty)
  })

  test('F: Content-Length counts bytes', async () => {
    const app = await withSid(nasty)
    const { headers, text } = await request(app.url).get(scriptPath).buffer()
    expect(headers['content-length']).toBe(String(Buffer.byteLength(text)))
    expect(text.trimEnd().endsWith('})()')).toBe(true)
  })

  test('F: no ETag, and never 304', async () => {
    const app = await withSid('S1')
    const { headers } = await request(app.url).get(scriptPath).set('if-none-match', 'S10.6.1').expect(200)
    expect(headers).not.toHaveProperty('etag')
  })

  test('F: without a session cookie CONNECT_SID is empty', async () => {
    for (const options of [{}, { parser: cookieParser(secret) }, { cutter: () => undefined }]) {
      expect(await connectSid(await start(options))).toBe('')
    }
  })

  test.each<{ how: string; options: Options }>([
    { how: 'secret alone', options: {} },
    { how: 'parser, secret for the signature', options: { parser: cookieParser(), secret } },
    { how: 'parser with its own secret: signedCookies', options: { parser: cookieParser(secret) } },
    { how: 'cutter, secret for the signature', options: { cutter: signedCookie, secret } },
  ])('F: a signed cookie is unsigned: $how', async ({ options }) => {
    const app = await start({ ...options, rawSid: true })
    const cookie = await app.login()
    expect(await connectSid(app, cookie)).toBe(idOf(cookie))
    expect(await connectSid(app, `${cookie.slice(0, -5)}xxxxx`)).toBe('')
    if (!options.cutter) expect(await connectSid(app, `connect.sid=${idOf(cookie)}`)).toBe('')
  })

  test('F: a signed cookie that nobody can verify is none', async () => {
    const app = await start({ parser: cookieParser(), rawSid: true })
    expect(await connectSid(app, await app.login())).toBe('')
  })

  test('O: the name of the cookie', async () => {
    for (const options of [{}, { parser: cookieParser(secret) }]) {
      const app = await start({ ...options, name: 'sid', rawSid: true }, { name: 'sid' })
      const cookie = await app.login()
      expect(await connectSid(app, cookie)).toBe(idOf(cookie))
    }
  })

  test('a parser or cutter that throws, or gives no string, leaves CONNECT_SID empty', async () => {
    const broken = () => {
      throw new Error('of the app')
    }
    for (const options of [{ parser: broken }, { cutter: broken }, { cutter: () => ({ a: 1 }) }]) {
      expect(await connectSid(await start({ ...options, onError: () => {} }))).toBe('')
    }
  })

  test('a cutter that gives no string: told as no cookie', async () => {
    const onError = vi.fn()
    expect(await connectSid(await start({ cutter: () => ({ a: 1 }), onError }))).toBe('')
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ERR_SESSION_COOKIE_MISSING' }))
  })

  test('is served under the path of Socket.IO, and also when the HTTP server comes later', async () => {
    const [io, server] = [new Server({ path: '/elsewhere' }), createServer()]
    onTestFinished(() => io.close())
    enable(io, new CountingStore())
    io.attach(server.listen(0, '127.0.0.1'))
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await request(url).get('/elsewhere/socket.io-sessions.js').expect(200)
    await request(url).get('/elsewhere/socket.io.js').expect(200)
  })
})

describe('in a page of Chromium', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  }, 600_000)
  afterAll(() => browser?.close())

  const clients = { '4.8': '/socket.io/socket.io.js', '2.5': '/client-2.js' }
  const constructors = {
    'io.connectWithSession()': 'io.connectWithSession()',
    'new io.SessionSocket() of 0.5': 'new io.SessionSocket().connect()',
    'new io.SessionSocket(host, options)': `new io.SessionSocket(location.hostname, { port: location.port }).connect()`,
    'new io.SessionSocket(sid, host) of 0.5.4': `new io.SessionSocket('unread', location.hostname).connect()`,
  }
  const cases = Object.entries(clients).flatMap(([version, client]) =>
    Object.entries(constructors).map(([what, code]) => ({ version, client, what, code })),
  )

  test.each(cases)(
    'client $version, $what: gets its session, and again after a reconnect',
    async ({ client, code }) => {
      const app = await startPages(client, () => code)
      const sockets = greet(app)
      const page = await visit(app)
      await page.getByText('hello ann, greeting 1').waitFor()
      sockets[0]?.conn.close()
      await page.getByText('hello ann, greeting 2').waitFor()
    },
  )

  test.each(Object.entries(clients))(
    'client %s, new io.SessionSocket(sid) of 0.4 with the id that the page knows',
    async (_, client) => {
      const app = await startPages(client, (sid) => `new io.SessionSocket('${sid}').connect()`, generations['0.4'])
      const sockets = greet(app)
      const page = await visit(app)
      await page.getByText('hello ann, greeting 1').waitFor()
      sockets[0]?.conn.close()
      await page.getByText('hello ann, greeting 2').waitFor()
    },
  )

  test('what is sent on connect belongs to the session already', async () => {
    const app = await startPages(clients['4.8'], () => 'io.connectWithSession()', { per_message: 1 })
    app.manager.on('sconnection', (client) =>
      client.on('smessage', (message: string, session: Session) => client.send(`${message} ${session['user']}`)),
    )
    const page = await visit(app)
    await page.getByText('I am ann').waitFor()
  })

  test('a visitor without a session is told: sinvalid', async () => {
    const app = await startPages(clients['4.8'], () => 'io.connectWithSession()')
    app.manager.on('sinvalid', (client) => client.send('please log in'))
    const page = await visit(app, '/page')
    await page.getByText('please log in').waitFor()
  })

  test('a page of another site gets nothing', async () => {
    const app = await startPages(clients['4.8'], () => 'null')
    const evil = createServer((_, res) => res.end(`<script src="${app.url}${scriptPath}"></script>`)).listen(
      0,
      'localhost',
    )
    onTestFinished(() => void evil.close())
    await once(evil, 'listening')
    const page = await visit(app)
    const blocked = page.waitForEvent('requestfailed')
    await page.goto(`http://localhost:${(evil.address() as AddressInfo).port}/`)
    expect((await blocked).failure()?.errorText).toContain('ERR_BLOCKED_BY_RESPONSE')
    expect(await page.evaluate('typeof CONNECT_SID')).toBe('undefined')
    complaints.length = 0 // the browser's own word on what it blocked
  })

  /** What the pages of the running test complained of: at its end, nothing. */
  const complaints: string[] = []

  /** A tab that logs in as ann, and then opens the page. */
  async function visit(app: SessionsApp, ...paths: string[]): Promise<Page> {
    const context = await browser.newContext()
    onTestFinished(async () => {
      await context.close()
      expect(complaints.splice(0)).toEqual([])
    })
    const page = await context.newPage()
    collectComplaints(page, complaints)
    for (const path of paths.length > 0 ? paths : ['/login/ann', '/page']) await page.goto(app.url + path)
    return page
  }
})

/** An app whose `/page` includes that client and the script, and makes a socket with `code`. */
async function startPages(
  client: string,
  code: (sid: string) => string,
  enabling: Parameters<typeof start>[0] = {},
): Promise<SessionsApp> {
  const app = await start(enabling, { io: { allowEIO3: true } })
  const file = createRequire(import.meta.url).resolve('client-2/dist/socket.io.js')
  app.express.get('/client-2.js', (_, res) => res.sendFile(file))
  app.express.get('/favicon.ico', (_, res) => void res.status(204).end())
  app.express.get('/page', (req, res) => {
    res.send(`<!doctype html><title>page</title><link rel="icon" href="data:,"><pre></pre>
      <script src="${client}"></script>
      <script src="${scriptPath}?1234"></script>
      <script>
        var socket = ${code(req.sessionID)}
        if (socket) socket.on('message', function (message) { document.querySelector('pre').textContent += message + '\\n' })
        if (socket) socket.on('connect', function () { socket.send('I am') })
      </script>`)
  })
  return app
}

/** Greets everybody by name, and counts. */
function greet(app: SessionsApp): Socket[] {
  const sockets: Socket[] = []
  app.manager.on('sconnection', (client: Socket, session: Session) => {
    sockets.push(client)
    client.send(`hello ${session['user']}, greeting ${sockets.length}`)
  })
  return sockets
}

function signedCookie({ headers }: { headers: { cookie?: string } }): string {
  return decodeURIComponent(headers.cookie ?? '').replace(/^[^=]*=/, '')
}
