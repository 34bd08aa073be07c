/** A wrong option is said at once: what was expected, what came, how to mend it; and no secret in the message. */
import { generateKeyPairSync } from 'node:crypto'
import { EventEmitter } from 'node:events'
import session from 'express-session'
import { type HandshakeSessionOptions, handshakeSession, SessionError } from 'handshake-session'
import { describe, expect, test } from 'vitest'
import { type App, startApp } from './support/app.js'

const good = { store: new session.MemoryStore(), secret: 'keyboard cat' }

const wrong: [string, unknown, RegExp][] = [
  ['nothing', undefined, /options: expected an object.*got undefined/],
  ['null', null, /options: expected an object.*got null/],
  ['no store', { secret: 'x' }, /store: expected an express-session store.*got undefined.*new session.MemoryStore\(\)/],
  ['a store without get', { ...good, store: {} }, /store: expected .* got object/],
  ['a store without destroy', { ...good, store: { get() {}, set() {} } }, /store: expected .* got object/],
  ['a store class instead of an instance', { ...good, store: session.MemoryStore }, /store: expected .* got function/],
  ['no secret', { store: good.store }, /secret: expected a string.*got undefined.*the secret of session\(\)/],
  ['an empty secret', { ...good, secret: '' }, /secret: expected/],
  ['an empty Buffer as secret', { ...good, secret: Buffer.alloc(0) }, /secret: expected/],
  ['a plain object as secret', { ...good, secret: {} as never }, /secret: expected/],
  ['a public key as secret', { ...good, secret: generateKeyPairSync('ed25519').publicKey }, /secret: expected/],
  ['no secret in the array', { ...good, secret: [] }, /secret: expected at least one/],
  ['an array with an empty secret', { ...good, secret: ['x', ''] }, /secret: expected/],
  [
    'a number as secret',
    { ...good, secret: 7 },
    /secret: expected a string, Buffer or secret KeyObject, or an array of them, got number; pass/,
  ],
  ['an empty name', { ...good, name: '' }, /name: expected the name of the session cookie/],
  ['name and key that differ', { ...good, name: 'a', key: 'b' }, /`key` is an alias of `name`/],
  ['required: "yes"', { ...good, required: 'yes' }, /required: expected true or false, got yes/],
  ['timeout: 0', { ...good, timeout: 0 }, /timeout: expected milliseconds from 1.*got 0/],
  ['timeout: NaN', { ...good, timeout: Number.NaN }, /timeout: expected milliseconds/],
  ['timeout: 2 ** 31', { ...good, timeout: 2 ** 31 }, /timeout: expected milliseconds from 1 to 2147483647/],
  ['timeout: "10000"', { ...good, timeout: '10000' }, /timeout: expected milliseconds/],
  ['recheck: "60s"', { ...good, recheck: '60s' }, /recheck: expected milliseconds/],
  ['freshFor: -1', { ...good, freshFor: -1 }, /freshFor: expected milliseconds from 0/],
  ['touch: 1', { ...good, touch: 1 }, /touch: expected true or false/],
  ['redis without eval', { ...good, redis: {} }, /redis: expected a client of redis or ioredis, with eval, got object/],
  ['redis: null', { ...good, redis: null }, /redis: expected/],
  ['an emitter that cannot emit', { ...good, emitter: {} }, /emitter: expected an emitter with serverSideEmit/],
  ['authorize: true', { ...good, authorize: true }, /authorize: expected a function \(session, handshake\)/],
  ['onError: true', { ...good, onError: true }, /onError: expected a function/],
  ['origins: 7', { ...good, origins: 7 }, /origins: expected/],
  [
    'an origin with a path',
    { ...good, origins: 'https://a.example/' },
    /origins: expected an origin as in .*no path, no slash/,
  ],
  ['an origin without scheme', { ...good, origins: ['a.example'] }, /origins: expected an origin/],
]

test.each(wrong)('%s', (_name, options, message) => {
  const call = () => handshakeSession(options as HandshakeSessionOptions)
  expect(call).toThrow(SessionError)
  expect(call).toThrow(
    expect.objectContaining({ code: 'ERR_SESSION_OPTIONS', message: expect.stringMatching(message) }),
  )
})

test('what might be a credential is not in the message', () => {
  const call = () => handshakeSession({ ...good, store: 'redis://user:password@host' as never })
  expect(call).toThrow(expect.objectContaining({ message: expect.not.stringContaining('password') }))
})

test('a Buffer and a KeyObject are secrets, as in express-session', async () => {
  const { createSecretKey } = await import('node:crypto')
  for (const secret of [Buffer.from('x'), createSecretKey(Buffer.from('x'))])
    handshakeSession({ ...good, secret }).close()
})

test('origins may be named as browsers send them, by RegExps, and as `null`', () => {
  for (const origins of ['null', /x/, ['https://a.example', 'null', /x/]])
    handshakeSession({ ...good, origins }).close()
})

test('the options of express-session may be passed along', () => {
  const options = { ...good, resave: false, cookie: { maxAge: 1 } }
  handshakeSession(options).close()
})

describe('wrong arguments', () => {
  test.each([undefined, null, {}, 'io', () => {}])('attach(%j) says what it expects', async (target) => {
    const app = await startApp()
    const attach = () => app.sessions.attach(target as never)
    expect(attach).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_OPTIONS', message: expect.stringContaining('Socket.IO 4') }),
    )
  })

  test.each([undefined, null, {}, 7, { headers: null }])('load(%j) and explain(%j) reject', async (handshake) => {
    const app = await startApp()
    for (const method of ['load', 'explain'] as const) {
      await expect(app.sessions[method](handshake as never)).rejects.toMatchObject({ code: 'ERR_SESSION_OPTIONS' })
    }
  })

  test.each([undefined, null, '', 7])('update(%j) and revoke(%j) reject', async (id) => {
    const app = await startApp()
    await expect(app.sessions.update(id as never, () => {})).rejects.toMatchObject({ code: 'ERR_SESSION_OPTIONS' })
    await expect(app.sessions.revoke(id as never)).rejects.toMatchObject({ code: 'ERR_SESSION_OPTIONS' })
  })

  test('attach twice guards once', async () => {
    const app = await startApp()
    expect(app.sessions.attach(app.io)).toBe(app.sessions)
    app.sessions.attach(app.io.of('/'))
    expect((app.io.of('/') as unknown as { _fns: unknown[] })._fns).toHaveLength(1)
  })

  test('attach twice listens once', async () => {
    const app = await startApp()
    const listeners = () => EventEmitter.prototype.listenerCount.call(app.io.sockets, 'new_namespace')
    const before = listeners()
    app.sessions.attach(app.io)
    expect(listeners()).toBe(before)
  })

  test.each([
    ['_nsps', (app: App) => app.io as object],
    ['_fns', (app: App) => app.io.of('/') as object],
  ])('attach to a Socket.IO that is not known, without %s, throws', async (name, owner) => {
    const app = await startApp({ attach: false })
    const part = Object.getOwnPropertyDescriptor(owner(app), name) as PropertyDescriptor
    Object.defineProperty(owner(app), name, { ...part, value: undefined })
    const attach = () => app.sessions.attach(app.io)
    expect(attach).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_OPTIONS', message: expect.stringContaining(name) }),
    )
    Object.defineProperty(owner(app), name, part)
  })
})
