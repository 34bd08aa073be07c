/**
 * socket.io-sessions on Express 3 itself, whose `cookieParser()` got the secret somewhere else: where the session is made.
 */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { enable, type Options } from 'handshake-session/compat/socket.io-sessions'
import { Server } from 'socket.io'
import request from 'supertest'
import { expect, onTestFinished, test, vi } from 'vitest'
import { connect, cookieOf, idOf, next, secret } from '../support/app.js'
import { CountingStore } from '../support/counting-store.js'
import { connectSid } from './sessions-server.js'

type Middleware = (...args: never[]) => void
interface Express3 {
  (): RequestListener & {
    use(middleware: Middleware): void
    get(path: string, handler: (request: { session: object }, response: { end(): void }) => void): void
  }
  cookieParser(secret?: string): NonNullable<Options['parser']>
  session(options: object): Middleware
}

const express = createRequire(import.meta.url)('express-3') as Express3

/** The secret is in the app's own `cookieParser`, or in `session`; `enable` has a `cookieParser()` without one. */
async function start(where: 'cookieParser' | 'session', options: Options = {}) {
  const store = new CountingStore()
  const app = express()
  app.use(express.cookieParser(where === 'cookieParser' ? secret : undefined))
  app.use(express.session({ store, key: 'connect.sid', ...(where === 'session' ? { secret } : {}) }))
  app.get('/login', ({ session }, response) => {
    Object.assign(session, { user: 'ann' })
    response.end()
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const io = new Server(server)
  onTestFinished(() => void io.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  enable({ socket: io, store, parser: express.cookieParser(), ...options })
  const cookie = cookieOf(await request(url).get('/login').expect(200))
  return { io, url, cookie }
}

test.each(['cookieParser', 'session'] as const)(
  'the secret in %s: with it as an argument of enable, too',
  async (where) => {
    const { io, url, cookie } = await start(where, { secret })
    const connected = once(io.sockets as never, 'sconnection')
    const client = connect(url)
    await next(client, 'connect')
    client.emit('connect_with_session', { __sid: await connectSid({ url } as never, cookie) })
    expect((await connected)[1]).toMatchObject({ user: 'ann' })
  },
)

test.each(['cookieParser', 'session'] as const)(
  'the secret in %s alone: a warning names the argument',
  async (where) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const { url, cookie } = await start(where)
    warn.mockClear() // Express 3 has some of its own.
    expect(await connectSid({ url } as never, cookie)).toBe('')
    const [[told]] = warn.mock.calls as unknown as [[Error]]
    expect(told).toMatchObject({
      code: 'ERR_SESSION_OPTIONS',
      message: expect.stringContaining('add `secret` to the arguments of enable'),
    })
    expect(told.message).not.toContain(idOf(cookie))
    expect(warn).toHaveBeenCalledOnce()
  },
)
