/**
 * session.io and Socket.IO 4 together: what session.io loaded is a live session, which the connection holds.
 */
import cookieParser from 'cookie-parser'
import type session from 'express-session'
import sessionIO from 'handshake-session/compat/session.io'
import { describe, expect, test, vi } from 'vitest'
import { connect, next } from '../support/app.js'
import { later } from '../support/later.js'
import { otherProgram } from '../support/other-program.js'
import { secret, signedCookie, storeWithAnn } from './handshakes.js'
import { fate, generations, join, listen } from './old-server.js'

type Sessions = { session: session.Session & Partial<session.SessionData> }
type Answer = (error: unknown, allowed?: boolean) => void

async function start(store = storeWithAnn()) {
  const { io, url } = await listen()
  io.set('authorization', sessionIO(cookieParser(secret), store))
  return { store, io, url }
}

function save(store: session.Store, data: object): Promise<void> {
  const record = { user: 'ann', cookie: { originalMaxAge: null }, ...data } as session.SessionData
  return new Promise((resolve) => store.set('ann-id', record, () => resolve()))
}

describe.each(generations)('client $version', ({ connect: generation }) => {
  test('what a request saves is on the handshake, in every namespace', async () => {
    const { store, io, url } = await start()
    const inA = next<{ handshake: unknown }>(io.of('/a'), 'connection')
    const [client, { handshake, request }] = await join(io, url, generation, signedCookie())
    client.io.socket('/a')
    await save(store, { count: 7 })
    expect((handshake as unknown as Sessions).session).toMatchObject({ user: 'ann', count: 7 })
    expect((await inA).handshake).toBe(handshake)
    expect((request as unknown as Sessions).session).toBe((handshake as unknown as Sessions).session)
  })

  test('logging out closes the socket', async () => {
    const { store, io, url } = await start()
    const [client] = await join(io, url, generation, signedCookie())
    const closed = next(client, 'disconnect')
    store.destroy('ann-id')
    expect(await closed).toBe('transport close')
  })

  test('one read of the store for a connection', async () => {
    const store = storeWithAnn()
    const get = vi.spyOn(store, 'get')
    const { io, url } = await start(store)
    await join(io, url, generation, signedCookie())
    expect(get).toHaveBeenCalledOnce()
  })
})

test('two sockets of a browser have one session object', async () => {
  const { io, url } = await start()
  const [generation] = generations.map((each) => each.connect)
  const [, one] = await join(io, url, generation as never, signedCookie())
  const [, two] = await join(io, url, generation as never, signedCookie())
  expect((two.handshake as unknown as Sessions).session).toBe((one.handshake as unknown as Sessions).session)
})

/** An authorizer that works on after session.io has let go of the session. */
async function listenWithMore(
  work: (store: session.Store) => Promise<unknown>,
): Promise<Awaited<ReturnType<typeof listen>>> {
  const store = storeWithAnn()
  const server = await listen()
  const authorize = sessionIO(cookieParser(secret), store)
  server.io.set('authorization', (handshake: object, answer: Answer) => {
    authorize(handshake, async (error, allowed) => {
      await new Promise(setImmediate)
      await new Promise(setImmediate)
      await work(store)
      answer(error, allowed)
    })
  })
  return server
}

test('an authorizer that dawdles after session.io: destroyed meanwhile, refused', async () => {
  const { url } = await listenWithMore((store) => new Promise((done) => store.destroy('ann-id', done)))
  expect(await fate(connect(url, signedCookie()))).toBe('handshake unauthorized')
})

test('an authorizer that dawdles after session.io: changed meanwhile, and seen', async () => {
  const { io, url } = await listenWithMore((store) => save(store, { count: 7 }))
  const [generation] = generations.map((each) => each.connect)
  const [, { handshake }] = await join(io, url, generation as never, signedCookie())
  expect((handshake as unknown as Sessions).session).toMatchObject({ count: 7 })
})

test('an authorizer that takes long after session.io: changed meanwhile by another program, and seen', async () => {
  const record = { user: 'bob', cookie: { originalMaxAge: null } } as session.SessionData
  const { io, url } = await listenWithMore(async (store) => {
    await new Promise((done) => otherProgram(store).set('ann-id', record, done))
    later(5_000)
  })
  const [generation] = generations.map((each) => each.connect)
  const [, { handshake }] = await join(io, url, generation as never, signedCookie())
  expect((handshake as unknown as Sessions).session).toMatchObject({ user: 'bob' })
})
