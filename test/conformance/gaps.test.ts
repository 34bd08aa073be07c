/**
 * Our promise in code. Each gap of the documented recipe, first shown on the recipe, then closed by this package, with the
 * same clients, over WebSocket and over polling.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Socket } from 'socket.io'
import type { Socket as Client } from 'socket.io-client'
import { describe, expect, test } from 'vitest'
import { type AppOptions, ask, type ClientOptions, connect, idOf, next, pair } from '../support/app.js'
import { CountingStore } from '../support/counting-store.js'
import { read } from '../support/other-program.js'
import { type System, startOurs, startRecipe, transports } from './systems.js'

describe.each(transports)('%s', (name, transport) => {
  const isPolling = name === 'polling'

  describe('a logout while a poll is pending', () => {
    /** Logs out over HTTP, then lets the server send something, which answers the poll; the record that is left. */
    async function afterLogout(start: typeof startOurs, resave: boolean): Promise<unknown> {
      const system = await start({ session: { resave } })
      const cookie = await system.login()
      const { client } = await pair(system, cookie, transport)
      const answered = Promise.race([next(client, 'news'), next(client, 'disconnect')])
      await system.get('/logout', cookie)
      system.io.emit('news')
      await answered
      return read(system.store, idOf(cookie))
    }

    if (isPolling) {
      test('the recipe: with resave the poll brings the session back', async () => {
        expect(await afterLogout(startRecipe, true)).toBeDefined()
      })
    }

    test('handshake-session: it is gone, with resave or without', async () => {
      for (const resave of [true, false]) expect(await afterLogout(startOurs, resave)).toBeUndefined()
    })
  })

  describe('after regenerate, as Passport does on login and logout', () => {
    async function regenerate(start: typeof startOurs): Promise<{ client: Client; seen: unknown }> {
      const system = await start()
      const cookie = await system.login()
      const { client, socket } = await pair(system, cookie, transport)
      const closed = new Promise((done) => socket.once('disconnect', done))
      await system.get('/regenerate', cookie)
      if (start === startOurs) await closed
      return { client, seen: system.sessionOf(socket).user }
    }

    test('the recipe: an idle socket stays, as the old user', async () => {
      expect(await regenerate(startRecipe)).toMatchObject({ client: { connected: true }, seen: 'ann' })
    })

    test('handshake-session: it is closed', async () => {
      const { client } = await regenerate(startOurs)
      if (client.connected) await next(client, 'disconnect')
    })
  })

  describe('50 increments over two sockets at once', () => {
    type Increment = (system: System, socket: Socket) => Promise<unknown>

    async function count(start: typeof startOurs, increment: Increment): Promise<number | undefined> {
      const system = await start()
      const cookie = await system.login()
      system.io.on('connection', (socket) => {
        socket.on('increment', (answer) => increment(system, socket).then(() => answer()))
      })
      const tabs = [await pair(system, cookie, transport), await pair(system, cookie, transport)]
      const run = async ({ client }: { client: Client }) => {
        for (let i = 0; i < 25; i++) await ask(client, 'increment')
      }
      await Promise.all(tabs.map(run))
      return (await read(system.store, idOf(cookie)))?.count
    }

    test('the recipe: reload, increment, save loses many', async () => {
      const increment: Increment = async (system, socket) => {
        const session = system.sessionOf(socket)
        await new Promise((done) => session.reload(done))
        await sleep(5)
        const fresh = system.sessionOf(socket)
        fresh.count = (fresh.count ?? 0) + 1
        await new Promise((done) => fresh.save(done))
      }
      expect(await count(startRecipe, increment)).toBeLessThan(50)
    })

    test('handshake-session: update loses none', async () => {
      const increment: Increment = (system, socket) =>
        system.sessions.update(socket, async (session) => {
          await sleep(5)
          session.count = (session.count ?? 0) + 1
        })
      expect(await count(startOurs, increment)).toBe(50)
    })
  })

  describe('an event every 50 ms, for three times maxAge', () => {
    async function isAlive(start: typeof startOurs, reload: boolean): Promise<boolean> {
      const maxAge = 300
      const system = await start({ session: { cookie: { maxAge } } })
      system.io.on('connection', (socket) => {
        socket.on('work', (answer) => (reload ? system.sessionOf(socket).reload(answer) : answer()))
      })
      const cookie = await system.login()
      const { client } = await pair(system, cookie, { ...transport, upgrade: false })
      for (let elapsed = 0; elapsed < 3 * maxAge; elapsed += 50) {
        client.emit('work', () => {})
        await sleep(50)
      }
      return (await read(system.store, idOf(cookie))) !== undefined
    }

    if (!isPolling) {
      test('the recipe: reload does not touch, the session expires', async () => {
        expect(await isAlive(startRecipe, true)).toBe(false)
      })
    }

    test('handshake-session: it lives on', async () => {
      expect(await isAlive(startOurs, false)).toBe(true)
    })
  })

  describe('what connecting and ten acknowledged events cost the store', () => {
    async function cost(start: typeof startOurs): Promise<CountingStore['calls']> {
      const store = new CountingStore()
      const system = await start({ store })
      system.io.on('connection', (socket) => socket.on('work', (answer) => answer()))
      const cookie = await system.login()
      store.reset()
      const { client } = await pair(system, cookie, transport)
      for (let i = 0; i < 10; i++) await ask(client, 'work')
      return store.calls
    }

    if (isPolling) {
      test('the recipe: a read and a touch per request', async () => {
        const { get, touch } = await cost(startRecipe)
        expect(get).toBeGreaterThan(20)
        expect(touch).toBeGreaterThan(20)
      })
    }

    test('handshake-session: one read', async () => {
      expect(await cost(startOurs)).toEqual({ get: 1, set: 0, touch: 0, destroy: 0 })
    })
  })

  describe('a handshake that is refused anyway', () => {
    async function reads(
      start: typeof startOurs,
      io: AppOptions['io'],
      headers: Record<string, string>,
    ): Promise<number> {
      const store = new CountingStore()
      const system = await start({ store, ...(io && { io }) })
      const cookie = await system.login()
      store.reset()
      await next(
        connect(system.url, undefined, { ...transport, extraHeaders: { cookie, ...headers } }),
        'connect_error',
      )
      return store.calls.get
    }

    test('the recipe: costs a store read before allowRequest is asked', async () => {
      const allowRequest = (_request: unknown, decide: (error: string, allow: boolean) => void) => decide('no', false)
      expect(await reads(startRecipe, { allowRequest }, {})).toBe(1)
    })

    test('handshake-session: costs none, neither after allowRequest nor for a foreign origin', async () => {
      const allowRequest = (_request: unknown, decide: (error: string, allow: boolean) => void) => decide('no', false)
      expect(await reads(startOurs, { allowRequest }, {})).toBe(0)
      expect(await reads(startOurs, undefined, { origin: 'https://evil.example' })).toBe(0)
    })
  })

  describe('a cookie whose path is /app', () => {
    const options: AppOptions = { session: { cookie: { path: '/app' } } }

    async function loginBelow(system: System): Promise<string> {
      system.express.get('/app/login', (req, res) => {
        req.session.user = 'ann'
        res.json({})
      })
      const response = await fetch(`${system.url}/app/login`)
      return String(response.headers.get('set-cookie')).split(';')[0] ?? ''
    }

    test('the recipe: session is undefined, without a word', async () => {
      const system = await startRecipe(options)
      const { socket } = await pair(system, await loginBelow(system), transport)
      expect(system.sessionOf(socket)).toBeUndefined()
    })

    test('handshake-session: the cookie that came is used', async () => {
      const system = await startOurs(options)
      const { socket } = await pair(system, await loginBelow(system), transport)
      expect(system.sessionOf(socket).user).toBe('ann')
    })
  })

  describe('a store that is down', () => {
    class DownStore extends CountingStore {
      down = false

      override get(...args: Parameters<CountingStore['get']>): void {
        if (this.down) setImmediate(args[1], new Error('connection lost'))
        else super.get(...args)
      }
    }

    async function error(start: typeof startOurs): Promise<{ message: string; data?: { code?: string } }> {
      const store = new DownStore()
      const system = await start({ store })
      const cookie = await system.login()
      store.down = true
      return next(connect(system.url, cookie, transport), 'connect_error')
    }

    test('the recipe: an opaque transport error', async () => {
      expect((await error(startRecipe)).message).toMatch(/xhr poll error|websocket error/)
    })

    test('the recipe: after the store said disconnect, session is undefined, without a word', async () => {
      const system = await startRecipe()
      const cookie = await system.login()
      system.store.emit('disconnect')
      const { socket } = await pair(system, cookie, transport)
      expect(system.sessionOf(socket)).toBeUndefined()
    })

    test('handshake-session: ERR_SESSION_STORE, and after a disconnect of the store nothing silent', async () => {
      expect(await error(startOurs)).toMatchObject({ data: { code: 'ERR_SESSION_STORE' } })
      const system = await startOurs()
      const cookie = await system.login()
      system.store.emit('disconnect')
      const { socket } = await pair(system, cookie, transport)
      expect(system.sessionOf(socket).user).toBe('ann')
    })
  })

  describe('a page of another site that connects with the user’s cookie', () => {
    const page = 'https://evil.example'
    const io: AppOptions['io'] = { cors: { origin: ['https://app.example'], credentials: true } }

    async function outcome(start: typeof startOurs, options: ClientOptions): Promise<unknown> {
      const system = await start({ ...(io && { io }) })
      const extraHeaders = { cookie: await system.login(), origin: page }
      const client = connect(system.url, undefined, { ...options, extraHeaders })
      return next(client, 'connect').then(
        () => 'connected as the user',
        (refusal) => refusal.data,
      )
    }

    test('the recipe: is connected as the user, whatever cors.origin says', async () => {
      expect(await outcome(startRecipe, transport)).toBe('connected as the user')
    })

    test('handshake-session: ERR_SESSION_ORIGIN', async () => {
      expect(await outcome(startOurs, transport)).toEqual({ code: 'ERR_SESSION_ORIGIN' })
    })
  })
})

describe('WebTransport', () => {
  /** Engine.IO refuses every WebTransport session of a server that has engine middlewares (engine.io, `onWebTransportSession`). */
  const middlewares = ({ io }: System) => (io.engine as unknown as { middlewares: unknown[] }).middlewares.length

  test('the recipe: an engine middleware makes the server refuse it', async () => {
    expect(middlewares(await startRecipe())).toBeGreaterThan(0)
  })

  test('handshake-session: adds no engine middleware', async () => {
    expect(middlewares(await startOurs())).toBe(0)
  })
})

describe.each(transports)('connection state recovery with the cookie of another user, over %s', (_name, transport) => {
  async function recoverAsBob(start: typeof startOurs): Promise<{ socket: Socket; heard: unknown[] }> {
    const system = await start({ io: { connectionStateRecovery: {} } })
    const headers = { cookie: await system.login('ann') }
    const first = next<Socket>(system.io, 'connection')
    const client = connect(system.url, undefined, { ...transport, extraHeaders: headers })
    const socket = await first
    socket.join('room of ann')
    const welcome = next(client, 'welcome')
    socket.emit('welcome')
    await welcome
    const gone = next(socket, 'disconnect')
    client.io.engine.close()
    await gone
    system.io.to('room of ann').emit('private', 1)
    headers.cookie = await system.login('bob')
    const heard: unknown[] = []
    client.onAny((event) => heard.push(event))
    const again = next<Socket>(system.io, 'connection')
    const synced = next(client, 'synced')
    system.io.on('connection', (each) => each.emit('synced'))
    client.connect()
    await synced
    return { socket: await again, heard }
  }

  test('the recipe: the second user gets the rooms and packets of the first', async () => {
    const { socket, heard } = await recoverAsBob(startRecipe)
    expect(socket.rooms).toContain('room of ann')
    expect(heard).toContain('private')
  })

  test('handshake-session: nothing of the first user', async () => {
    const { socket, heard } = await recoverAsBob(startOurs)
    expect(socket.rooms).not.toContain('room of ann')
    expect(heard).toEqual(['synced'])
  })
})
