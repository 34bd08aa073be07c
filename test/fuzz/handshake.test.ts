/** The whole way of a handshake: who is let in by `load` is let in by the rule, as the same, and `explain` says the same. */
import assert from 'node:assert/strict'
import session, { type SessionData } from 'express-session'
import fc from 'fast-check'
import {
  type HandshakeLike,
  type HandshakeSessions,
  handshakeSession,
  SESSION_ERROR_CODES,
  SessionError,
} from 'handshake-session'
import { cookieHeaders, type Forgery, forge, forgery, hostile, payloadsWith, secrets, text } from './arbitraries.js'
import { holds } from './budget.js'
import { cookieOf, idIn, isTicket, mayUseCookie } from './references.js'

const alive = ['ann-id', 'a.b']
const trusted = ['https://ok.example', 'null']
const apps = [
  { options: {}, origins: [] },
  { options: { origins: trusted }, origins: trusted },
  { options: { required: false }, origins: [] },
] as const

/** A store of its own: a session remembers its used tickets for a minute. */
function start(options: (typeof apps)[number]['options']): HandshakeSessions {
  const store = new session.MemoryStore()
  for (const id of alive) store.set(id, { cookie: { originalMaxAge: null } } as SessionData)
  store.set('late-id', { cookie: { originalMaxAge: 1, expires: new Date(0) } } as SessionData)
  return handshakeSession({ store, secret: [...secrets], ...(options as object) })
}

const host = fc.constantFrom('ok.example', 'a.example', 'a.example:443', 'A.example:80', '[::1]:3000', 'evil.example')
const pages = [
  'https://ok.example',
  'https://a.example',
  'http://a.example',
  'http://[::1]:3000',
  'null',
  'file://',
  '',
]
const page = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...pages) }, text)
const site = fc.oneof({ weight: 3, arbitrary: fc.constantFrom('same-origin', 'none', 'cross-site', 'same-site') }, text)
const headers = fc.record({
  cookie: fc.oneof({ weight: 20, arbitrary: cookieHeaders([...alive, 'late-id', 'nobody-id']) }, hostile),
  host: fc.oneof({ weight: 4, arbitrary: host }, text, fc.constant(undefined)),
  origin: fc.oneof(fc.constant(undefined), page),
  referer: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, page),
  'sec-fetch-site': fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, site),
})
const url = fc.oneof(fc.constantFrom('/socket.io/?EIO=4', '/?EIO=3&j=0', '/?j='), text)
/** The place of a ticket in `auth`, which is issued when the case is run. */
const genuine = { ticket: 'genuine' }
const auth = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: fc.tuple(fc.constant(genuine), fc.constantFrom('ann-id', 'late-id'), forgery) },
  payloadsWith('ticket', text),
)

holds(
  'a handshake is let in by ticket, or by origin, cookie and signature, into its own session; all else is refused in words',
  'handshake',
  fc.record({ headers, url, auth, app: fc.nat(apps.length - 1) }),
  async ({ headers, url, auth: given, app }, measure) => {
    const { options, origins } = apps[app] as (typeof apps)[number]
    const sessions = start(options)
    const [id, auth] = isShowing(given) ? ticketFor(sessions, given) : [undefined, given]
    const handshake = { headers, url, auth } as HandshakeLike
    const explained = await measure(() => sessions.explain(handshake))
    const loaded = await measure(() => load(sessions, handshake))
    sessions.close()

    const isByTicket = Object(auth)['ticket'] !== undefined
    const byCookie = mayUseCookie(headers, url, origins)
      ? idIn(cookieOf(headers.cookie, 'connect.sid'), secrets)
      : undefined
    const expected = isByTicket ? id : byCookie
    assert.equal(loaded.id, expected && alive.includes(expected) ? expected : undefined)
    assert.equal(explained.code, loaded.code)
    assert.equal(explained.accepted, loaded.code === undefined || 'required' in options)
    for (const each of secrets) assert(!JSON.stringify(explained).includes(each), 'no secret is told')
  },
)

type Showing = [typeof genuine, string, Forgery]

function isShowing(given: unknown): given is Showing {
  return Array.isArray(given) && given[0] === genuine
}

/** The id that the ticket stands for, if it is as it was issued; and `auth` with it. */
function ticketFor(sessions: HandshakeSessions, [, sessionID, forgery]: Showing) {
  const issued = sessions.ticket({ session: {}, sessionID })
  const ticket = forge(issued, forgery)
  return [isTicket(ticket, issued) ? sessionID : undefined, { ticket }] as const
}

async function load(sessions: HandshakeSessions, handshake: HandshakeLike) {
  try {
    return { id: (await sessions.load(handshake)).id, code: undefined }
  } catch (error) {
    assert(error instanceof SessionError && SESSION_ERROR_CODES.includes(error.code), error as Error)
    return { id: undefined, code: error.code }
  }
}
