/**
 * session.io, row by row: what it did well is asked of the original and of ours alike; what it did badly, of ours.
 */
import { createRequire } from 'node:module'
import cookieParser from 'cookie-parser'
import { sign } from 'cookie-signature'
import session from 'express-session'
import { SessionError } from 'handshake-session'
import sessionIO from 'handshake-session/compat/session.io'
import { SessionRegistry } from 'handshake-session/internals'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Authorizer, handshakeWith, secret, signedCookie, storeWithAnn, verdictsOf } from './handshakes.js'

type SessionIO = (...args: unknown[]) => Authorizer

const require = createRequire(import.meta.url)
const original = require('session.io-original') as SessionIO
const ours = sessionIO as unknown as SessionIO
const parser = cookieParser(secret)
const noKey = 'Could not find cookie with key: connect.sid'

describe.each([
  ['session.io 1.0.0', original],
  ['ours', ours],
])('kept, by %s', (_, make) => {
  test('valid signed cookie', async () => {
    const handshake = handshakeWith(signedCookie())
    expect(await verdictsOf(make(parser, storeWithAnn()), handshake)).toEqual([[null, true]])
    expect(handshake.session).toBeInstanceOf(session.Session)
    expect(handshake.session?.user).toBe('ann')
  })

  test('the parser leaves its cookies on the handshake', async () => {
    const handshake = handshakeWith(`${signedCookie()}; theme=dark`)
    await verdictsOf(make(parser, storeWithAnn()), handshake)
    expect(handshake).toMatchObject({ secret, cookies: { theme: 'dark' }, signedCookies: { 'connect.sid': 'ann-id' } })
  })

  test('a key: the cookie of that name', async () => {
    const handshake = handshakeWith(signedCookie('ann-id', 'sid'))
    expect(await verdictsOf(make(parser, storeWithAnn(), 'sid'), handshake)).toEqual([[null, true]])
  })

  test.each([
    ['third', (fn: unknown) => [fn]],
    ['fourth, after a key', (fn: unknown) => ['connect.sid', fn]],
  ])('fn as the %s argument gets the session, and decides', async (_, args) => {
    const fn = vi.fn(({ session }: { session: { user: string } }, done: (...answer: unknown[]) => void) =>
      done(null, session.user === 'bob'),
    )
    const handshake = handshakeWith(signedCookie())
    expect(await verdictsOf(make(parser, storeWithAnn(), ...args(fn)), handshake)).toEqual([[null, false]])
    expect(fn).toHaveBeenCalledOnce()
  })

  test('a parser without a secret: the plain cookie', async () => {
    const handshake = handshakeWith('connect.sid=ann-id')
    expect(await verdictsOf(make(cookieParser(), storeWithAnn()), handshake)).toEqual([[null, true]])
  })

  test('session.save() writes to the store', async () => {
    const store = storeWithAnn()
    const handshake = handshakeWith(signedCookie())
    await verdictsOf(make(parser, store), handshake)
    Object.assign(handshake.session as object, { seen: true })
    await new Promise((resolve) => handshake.session?.save(resolve))
    const record = await new Promise((resolve) => store.get('ann-id', (_, data) => resolve(data)))
    expect(record).toMatchObject({ user: 'ann', seen: true })
  })
})

const failing = Object.assign(storeWithAnn(), {
  get: (_id: string, callback: (error: unknown) => void) => callback('out of order'),
})
const past = { expires: new Date(0) }

describe('mended: one verdict', () => {
  test.each([
    ['no cookie header', handshakeWith(), storeWithAnn(), ['No cookie in header', false]],
    ['no headers', {}, storeWithAnn(), ['No cookie in header', false]],
    ['undefined handshake', undefined, storeWithAnn(), ['No cookie in header', false]],
    ['key absent', handshakeWith('other=1'), storeWithAnn(), [noKey, false]],
    ['tampered signature', handshakeWith(`${signedCookie()}x`), storeWithAnn(), [noKey, false]],
    ['signed by another secret', handshakeWith(signedCookie('ann-id', undefined, '?')), storeWithAnn(), [noKey, false]],
    ['unknown sid', handshakeWith(signedCookie('who')), storeWithAnn(), [null, false]],
    ['expired sid', handshakeWith(signedCookie()), storeWithAnn(past), [null, false]],
    ['store error', handshakeWith(signedCookie()), failing, ['out of order', false]],
    ['unsigned raw', handshakeWith('connect.sid=ann-id'), storeWithAnn(), [noKey, false]],
    ['malformed %', handshakeWith('connect.sid=ann%-id'), storeWithAnn(), [noKey, false]],
    ['JSON cookie', handshakeWith('connect.sid=j:{"a":1}'), storeWithAnn(), [noKey, false]],
    ['signed JSON cookie', handshakeWith(signedCookie('j:"ann-id"')), storeWithAnn(), [noKey, false]],
    [
      'quoted JSON cookie',
      handshakeWith(signedCookie('j:"ann-id"').replace(/=(.*)/, '="$1"')),
      storeWithAnn(),
      [noKey, false],
    ],
    ['giant id', handshakeWith(signedCookie('x'.repeat(5_000))), storeWithAnn(), [noKey, false]],
  ])('%s', async (_, handshake, store, verdict) => {
    expect(await verdictsOf(ours(parser, store), handshake)).toEqual([verdict])
    expect((handshake as { session?: unknown } | undefined)?.session).toBeUndefined()
  })

  test('store without load', async () => {
    const kept = storeWithAnn()
    const store = { get: kept.get.bind(kept), set: kept.set.bind(kept), destroy: kept.destroy.bind(kept) }
    const handshake = handshakeWith(signedCookie())
    expect(await verdictsOf(ours(parser, store), handshake)).toEqual([[null, true]])
    expect(handshake.session).toBeInstanceOf(session.Session)
  })

  test.each([[{ a: 1 }], [''], [7], [false]])('an id that is no text: %j', async (id) => {
    const leaves = (request: object, _response: object, next: () => void) => {
      Object.assign(request, { secret, signedCookies: { 'connect.sid': id } })
      next()
    }
    expect(await verdictsOf(ours(leaves, storeWithAnn()), handshakeWith(signedCookie()))).toEqual([[noKey, false]])
  })

  test('the session is let go of once it has decided', async () => {
    const store = storeWithAnn()
    const registry = SessionRegistry.join(store)
    onTestFinished(() => registry.leave())
    await verdictsOf(ours(parser, store), handshakeWith(signedCookie()))
    expect(registry.at('ann-id').isHeld).toBe(false)
  })

  test('a giant Cookie header is not parsed', async () => {
    const spy = vi.fn(parser)
    const [[error, allowed]] = (await verdictsOf(
      ours(spy, storeWithAnn()),
      handshakeWith(`${'x=1; '.repeat(20_000)}${signedCookie()}`),
    )) as [[unknown, unknown]]
    expect(allowed).toBe(false)
    expect(error).toMatchObject({ code: 'ERR_SESSION_COOKIE_MISSING' })
    expect(spy).not.toHaveBeenCalled()
  })

  test('a JSON cookie with a first quote alone, which old parsers take off, is not parsed', async () => {
    const spy = vi.fn(parser)
    const handshake = handshakeWith('connect.sid="j:{}')
    expect(await verdictsOf(ours(spy, storeWithAnn()), handshake)).toEqual([[noKey, false]])
    expect(spy).not.toHaveBeenCalled()
  })

  test('cookies that another parser left, one without a secret', async () => {
    const handshake = handshakeWith('connect.sid=ann-id')
    cookieParser()(handshake as never, {} as never, () => {})
    expect(await verdictsOf(ours(parser, storeWithAnn()), handshake)).toEqual([[noKey, false]])
  })
})

test('unsigned cookies are refused with one warning, which says how to let them in', async () => {
  const path = require.resolve('handshake-session/compat/session.io')
  delete require.cache[path]
  const fresh = require(path) as SessionIO
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => warn.mockRestore())
  const authorize = fresh(parser, storeWithAnn())
  for (const cookie of [undefined, 'other=1', `${signedCookie()}x`]) await verdictsOf(authorize, handshakeWith(cookie))
  expect(warn).not.toHaveBeenCalled()
  for (const _ of [1, 2]) await verdictsOf(authorize, handshakeWith('connect.sid=ann-id'))
  expect(warn).toHaveBeenCalledExactlyOnceWith(expect.any(String), 'LegacySessionWarning')
  expect(warn.mock.lastCall?.[0]).toContain(`HANDSHAKE_SESSION='{"allowUnsigned":true}'`)
  expect(warn.mock.lastCall?.[0]).not.toContain('ann-id')
})

describe('mended: fn', () => {
  const admitsAll = vi.fn((_handshake: unknown, done: (...answer: unknown[]) => void) => done(null, true))

  test('fn given, failure: fn is not asked', async () => {
    admitsAll.mockClear()
    const authorize = ours(parser, storeWithAnn(), admitsAll)
    expect(await verdictsOf(authorize, handshakeWith())).toEqual([['No cookie in header', false]])
    expect(admitsAll).not.toHaveBeenCalled()
  })

  test.each([[undefined], [null], ['']])('(cp, store, %o, fn) asks fn, with the default key', async (key) => {
    const refuses = (_handshake: unknown, done: (...answer: unknown[]) => void) => done('not you', false)
    const authorize = ours(parser, storeWithAnn(), key, refuses)
    expect(await verdictsOf(authorize, handshakeWith(signedCookie()))).toEqual([['not you', false]])
  })

  test('destroyed while fn thinks: refused', async () => {
    const store = storeWithAnn()
    const destroys = (_handshake: unknown, done: (...answer: unknown[]) => void) =>
      store.destroy('ann-id', () => done(null, true))
    expect(await verdictsOf(ours(parser, store, destroys), handshakeWith(signedCookie()))).toEqual([[null, false]])
  })

  test('changed over HTTP while fn thinks: fn and the app see it', async () => {
    const store = storeWithAnn()
    const record = { user: 'eve', cookie: { originalMaxAge: null } } as session.SessionData
    const handshake = handshakeWith(signedCookie())
    const changes = (_handshake: unknown, done: (...answer: unknown[]) => void) =>
      store.set('ann-id', record, () => done(null, handshake.session?.user === 'eve'))
    expect(await verdictsOf(ours(parser, store, changes), handshake)).toEqual([[null, true]])
  })
})

describe('whatever they do, one verdict', () => {
  const boom = new Error('boom')
  const never = () => {}
  const throws = () => {
    throw boom
  }
  const rejects = () => Promise.reject(boom)
  const answersTwice = (_request: unknown, _second: unknown, done?: (error?: unknown) => void) => {
    const answer = (done ?? _second) as (...args: unknown[]) => void
    answer(null, false)
    answer(null, true)
  }

  test.each([
    ['parser', 'throws', throws, [boom, false]],
    ['parser', 'rejects', rejects, [boom, false]],
    ['parser', 'passes an error', (_q: unknown, _s: unknown, next: (e: unknown) => void) => next(boom), [boom, false]],
    ['parser', 'never answers', never, [expect.objectContaining({ message: expect.stringMatching('50 ms') }), false]],
  ])('the %s %s', async (_, __, faulty, verdict) => {
    const authorize = ours(faulty, storeWithAnn(), undefined, undefined, { timeout: 50 })
    expect(await verdictsOf(authorize, handshakeWith(signedCookie()))).toEqual([verdict])
  })

  test('the parser calls back twice', async () => {
    const twice = (request: never, response: never, next: () => void) => {
      parser(request, response, next)
      next()
    }
    expect(await verdictsOf(ours(twice, storeWithAnn()), handshakeWith(signedCookie()))).toEqual([[null, true]])
  })

  test.each([
    ['throws', throws, [boom, false]],
    ['rejects', rejects, [boom, false]],
    ['never answers', never, [expect.objectContaining({ message: expect.stringMatching('50 ms') }), false]],
    ['answers twice', answersTwice, [null, false]],
  ])('fn %s', async (_, faulty, verdict) => {
    const authorize = ours(parser, storeWithAnn(), 'connect.sid', faulty, { timeout: 50 })
    expect(await verdictsOf(authorize, handshakeWith(signedCookie()))).toEqual([verdict])
  })

  const found = { user: 'ann', cookie: { originalMaxAge: null } }
  test.each([
    ['throws', throws, [boom, false]],
    ['rejects', rejects, [boom, false]],
    ['never answers', never, [expect.objectContaining({ message: expect.stringMatching('50 ms') }), false]],
    [
      'calls back twice',
      (_id: string, callback: (...args: unknown[]) => void) => {
        callback(null, found)
        callback(boom)
      },
      [null, true],
    ],
  ])('the store %s', async (_, get, verdict) => {
    const store = Object.assign(new session.MemoryStore(), { get })
    const authorize = ours(parser, store, undefined, undefined, { timeout: 50 })
    expect(await verdictsOf(authorize, handshakeWith(signedCookie()))).toEqual([verdict])
  })
})

describe('options', () => {
  test('allowUnsigned takes a plain cookie', async () => {
    const authorize = ours(parser, storeWithAnn(), undefined, undefined, { allowUnsigned: true })
    expect(await verdictsOf(authorize, handshakeWith('connect.sid=ann-id'))).toEqual([[null, true]])
  })

  test('fnOnFailure asks fn once, without a session', async () => {
    const fn = vi.fn((_handshake: unknown, done: (...answer: unknown[]) => void) => done(null, true))
    const authorize = ours(parser, storeWithAnn(), undefined, fn, { fnOnFailure: true })
    const handshake = handshakeWith(`connect.sid=${encodeURIComponent(`s:${sign('who', secret)}`)}`)
    expect(await verdictsOf(authorize, handshake)).toEqual([[null, true]])
    expect(fn).toHaveBeenCalledOnce()
    expect(handshake.session).toBeUndefined()
  })

  test('fnOnFailure without an fn: nobody is asked, nobody gets in', async () => {
    const authorize = ours(parser, storeWithAnn(), undefined, undefined, { fnOnFailure: true })
    expect(await verdictsOf(authorize, handshakeWith())).toEqual([['No cookie in header', false]])
  })

  test.each([
    ['no parser', [undefined, storeWithAnn()], 'cookieParser'],
    ['no store', [parser], 'store'],
    ['a store that is none', [parser, { get() {} }], 'store'],
    ['a key that is none', [parser, storeWithAnn(), 7], 'key'],
    ['an fn that is none', [parser, storeWithAnn(), 'sid', 'fn'], 'fn'],
    ['a timeout that is none', [parser, storeWithAnn(), 'sid', undefined, { timeout: -1 }], 'timeout'],
  ])('%s is an error at once', (_, args, named) => {
    expect(() => ours(...args)).toThrow(SessionError)
    expect(() => ours(...args)).toThrow(named)
  })
})
