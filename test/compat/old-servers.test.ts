/**
 * session.io as it is, on servers of its time: a function is all that Socket.IO 1.7 and 2.5 need.
 */
import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import cookieParser from 'cookie-parser'
import sessionIO from 'handshake-session/compat/session.io'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { connect } from '../support/app.js'
import { clients } from '../support/clients.js'
import { secret, signedCookie, storeWithAnn } from './handshakes.js'
import { fate } from './old-server.js'

interface Server {
  set(key: 'authorization', authorize: unknown): void
  on(event: 'connection', listener: (socket: { request: { session?: { user: string } } }) => void): void
  close(): void
}

const require = createRequire(import.meta.url)
const servers = [
  { version: '1.7', make: require('socket.io-1') as (server: HttpServer) => Server },
  { version: '2.5', make: require('socket.io-2') as (server: HttpServer) => Server },
]

describe.each(servers)('Socket.IO $version', ({ version, make }) => {
  const generation = clients.find((client) => client.version === version)?.connect

  async function start(store = storeWithAnn()) {
    const server = createServer()
    const io = make(server)
    const connected = vi.fn()
    io.set('authorization', sessionIO(cookieParser(secret), store))
    io.on('connection', (socket) => connected(socket.request.session?.user))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => io.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { connected, enter: (cookie?: string) => fate(connect(url, cookie, {}, generation)) }
  }

  test('with its cookie a client is let in, and the app has its session', async () => {
    const { connected, enter } = await start()
    expect(await enter(signedCookie())).toBe('connect')
    expect(connected).toHaveBeenCalledExactlyOnceWith('ann')
  })

  const failing = Object.assign(storeWithAnn(), {
    get: (_id: string, callback: (error: unknown) => void) => callback('out of order'),
  })
  test.each([
    ['no cookie', undefined, storeWithAnn(), 'No cookie in header'],
    ['unknown sid', signedCookie('who'), storeWithAnn(), 'Not authorized'],
    ['store error', signedCookie(), failing, 'out of order'],
  ])('%s: refused, and never let in after all', async (_, cookie, store, told) => {
    const { connected, enter } = await start(store)
    expect(await enter(cookie)).toBe(told)
    expect(await enter(cookie)).toBe(told)
    expect(connected).not.toHaveBeenCalled()
  })
})
