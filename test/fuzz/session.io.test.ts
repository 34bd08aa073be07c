/**
 * The old authorization, on fakes of sockets: session.io by itself, and `set('authorization', …)` of socket.io with it as
 * authorizer. One verdict, from the words that there are, and a yes only for a genuine cookie.
 */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import cookieParser from 'cookie-parser'
import fc from 'fast-check'
import { SessionError } from 'handshake-session'
import sessionIO from 'handshake-session/compat/session.io'
import socketIO from 'handshake-session/compat/socket.io'
import { Server } from 'socket.io'
import { storeWithAnn } from '../compat/handshakes.js'
import { abyss, cookieHeaders, giants, hostile, payloadsWith, secrets, text } from './arbitraries.js'
import { holds } from './budget.js'
import { cookieOf, idIn, mayUseCookie, sign } from './references.js'

const authorize = sessionIO(cookieParser([...secrets]) as never, storeWithAnn())
const good = `connect.sid=${encodeURIComponent(sign('ann-id', secrets[0]))}`
const header = fc.oneof(
  { weight: 15, arbitrary: cookieHeaders(['ann-id', 'nobody', 'j:"ann-id"'], giants) },
  { weight: 4, arbitrary: fc.constant(good) },
  hostile,
)
const words = [undefined, null, 'No cookie in header', 'Could not find cookie with key: connect.sid']

/** As Express reads it: without the quotes around it. */
function idOf(header: unknown): string | undefined {
  return idIn(cookieOf(header, 'connect.sid')?.replace(/^"(.*)"$/s, '$1'), secrets)
}

holds(
  'session.io answers once, and lets in who has the cookie of a session',
  'session.io',
  fc.tuple(header, fc.constantFrom('handshake', 'handshake', 'handshake', 'bare', 'none')),
  async ([cookie, kind], measure) => {
    const handshake = kind === 'handshake' ? { headers: { cookie } } : kind === 'bare' ? { headers: null } : null
    const verdicts: unknown[][] = []
    const answer = () =>
      new Promise<void>((told) => authorize(handshake as never, (...verdict) => told(void verdicts.push(verdict))))
    await measure(answer)
    await setImmediate()
    const [[error, isIn] = []] = verdicts
    assert.equal(verdicts.length, 1)
    assert(words.includes(error as string) || error instanceof SessionError, String(error))
    assert.equal(isIn, kind === 'handshake' && idOf(cookie) === 'ann-id')
  },
)

const io = socketIO.legacy(new Server())
io.set('authorization', authorize)
type Guard = (socket: object, next: (error?: Error) => void) => void
const [guard] = (io.sockets as unknown as { _fns: Guard[] })._fns
const refusals = [
  'handshake unauthorized',
  'handshake error',
  'handshake bad origin',
  'auth differs from that of the first namespace',
]
const origin = fc.oneof(fc.constantFrom(undefined, 'http://a.example', 'http://b.example'), text)

holds(
  'an authorizer is asked once for each connection, and a second namespace gets in with the same auth alone',
  'authorization',
  fc.record({
    cookie: header,
    origin,
    auth: payloadsWith('user', text),
    other: fc.option(fc.oneof({ weight: 40, arbitrary: hostile }, abyss), { freq: 2 }),
  }),
  async ({ cookie, origin, auth, other }, measure) => {
    const headers = { cookie, origin, host: 'a.example' }
    const conn = Object.assign(new EventEmitter(), { readyState: 'open', close: () => {} })
    const enter = (auth: unknown) =>
      measure(
        () =>
          new Promise<string | undefined>((told) =>
            guard?.(socketOf(conn, headers, auth), (error) => told(error?.message)),
          ),
      )
    const isIn = idOf(cookie) === 'ann-id' && mayUseCookie(headers, '', [])
    const [first, second] = [await enter(auth), await enter(other ?? auth)]
    conn.emit('close')
    assert.equal(first === undefined, isIn, first)
    assert.equal(second === undefined, isIn && isSame(auth, other ?? auth), second)
    for (const told of [first, second]) assert(told === undefined || refusals.includes(told), told)
  },
)

function isSame(auth: unknown, other: unknown): boolean {
  return other === auth || (!isAbyss(other) && JSON.stringify(other) === JSON.stringify(auth))
}

/** `abyss` is never the `auth` of the first, and JSON cannot write it. */
function isAbyss(value: unknown): boolean {
  let [inner, depth] = [value, 0]
  while (Array.isArray(inner) && depth < 5_000) [inner, depth] = [inner[0], depth + 1]
  return depth === 5_000
}

function socketOf(conn: object, headers: object, auth: unknown): object {
  return {
    conn,
    client: { conn, sockets: new Map(), nsps: new Map() },
    handshake: { headers, auth, url: '', query: {} },
    request: { headers },
    nsp: io.sockets,
    data: {},
    id: 'x',
  }
}
