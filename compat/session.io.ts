/**
 * session.io 1.0.0: a function for `io.set('authorization', …)` that puts the Express session on the handshake. It knows
 * no server, so it runs on Socket.IO 1.7 and 2.5 as well as behind `compat/socket.io.ts`. Where the original called
 * `done` two or three times, and so let strangers in, this one answers once: README.md of this folder has the table.
 */
import { SessionError, type StoreLike } from '../src'
import { decode, type LiveSession, parseHeader, type SessionRegistry } from '../src/internals'
import { ask, checkTimeout } from './answer'
import { appSettings, howToSet } from './app-settings'
import { freshFor, isStore, registryOf, rememberLive } from './live-sessions'

declare namespace sessionIO {
  interface Options {
    /** Takes the id from an unsigned cookie too, although the parser has a secret. Lets in whoever knows an id. @default false */
    allowUnsigned?: boolean
    /** Calls `fn` also when there is no session; its answer then decides. @default false */
    fnOnFailure?: boolean
    /**
     * Milliseconds that the parser, the store and `fn` have each for their answer. For the store the longest counts that
     * anybody who uses it gives. @default 10_000
     */
    timeout?: number
  }
  /** What Socket.IO passes: the handshake data of 0.9 and of our shim, `socket.request` in 1.x and 2.x. */
  interface Handshake {
    headers?: { cookie?: unknown }
    secret?: unknown
    cookies?: Record<string, unknown>
    signedCookies?: Record<string, unknown>
    secureCookies?: Record<string, unknown>
    session?: unknown
  }
  type Done = (error?: unknown, authorized?: boolean) => void
  type Authorize = (handshake: never, done: Done) => unknown
  type CookieParser = (request: never, response: never, next: (error?: unknown) => void) => unknown
}

interface Setup {
  cookieParser: sessionIO.CookieParser
  registry: SessionRegistry
  key: string
  fn: sessionIO.Authorize | undefined
  options: sessionIO.Options
  timeout: number
}

/**
 * @param cookieParser `express.cookieParser('secret')` of Express 3, `require('cookie-parser')('secret')` since
 * @param store the store that the session middleware has; `load` is not needed
 * @param key name of the session cookie, `'connect.sid'` if left out; `fn` may take its place
 * @param fn `(handshake, done)`, called when `handshake.session` is there; its answer decides
 * @returns `(handshake, done)`: never throws, and calls `done` exactly once: `(null, true)`, or `(error, false)`
 * @throws SessionError `ERR_SESSION_OPTIONS`
 */
function sessionIO(
  cookieParser: sessionIO.CookieParser,
  store: StoreLike,
  key?: string | sessionIO.Authorize | null,
  fn?: sessionIO.Authorize | null,
  given: sessionIO.Options = {},
): (handshake: sessionIO.Handshake | undefined, done: sessionIO.Done) => void {
  const options: sessionIO.Options = { ...appSettings(), ...given }
  const timeout = checkTimeout(options.timeout)
  check('cookieParser', typeof cookieParser === 'function', "a function, as express.cookieParser('secret') gives")
  check('store', isStore(store), 'the session store, with get, set and destroy')
  const authorize = typeof key === 'function' ? key : (fn ?? undefined)
  check('key', !key || typeof key === 'string' || key === authorize, 'the name of the session cookie, or fn')
  check('fn', authorize === undefined || typeof authorize === 'function', 'a function (handshake, done)')
  const setup: Setup = {
    cookieParser,
    registry: registryOf(store, timeout),
    key: typeof key === 'string' && key ? key : 'connect.sid',
    fn: authorize,
    options,
    timeout,
  }
  return (handshake, done) => {
    decide(handshake, setup)
      .catch(told)
      // Outside the promise, so that what `done` throws is the server's own exception, as it always was.
      .then((verdict) => process.nextTick(done, ...verdict))
  }
}

type Verdict = [error?: unknown, authorized?: boolean]

async function decide(handshake: sessionIO.Handshake | undefined, setup: Setup): Promise<Verdict> {
  const { fn, options, timeout } = setup
  const verdict = async (): Promise<Verdict> =>
    fn ? ask<Verdict>('session.io: fn', timeout, (answer) => fn(handshake as never, answer)) : [null, true]
  const opened = await open(handshake, setup).catch(told)
  if (Array.isArray(opened)) return fn && options.fnOnFailure ? verdict() : opened
  // While `fn` thinks, the session stays fresh, and when it ends meanwhile, we hear of it; whoever is told next may hold it
  // in turn.
  const visitor = { close() {} }
  const held = opened.hold(visitor)
  try {
    const answer = await verdict()
    return held.ended ? [null, false] : answer
  } finally {
    held.release(visitor)
  }
}

/** Header → id → live session, which is put on the handshake. */
async function open(handshake: sessionIO.Handshake | undefined, setup: Setup): Promise<LiveSession> {
  const { registry } = setup
  const header: unknown = handshake?.headers?.cookie
  if (!handshake || typeof header !== 'string' || header === '') throw new Refusal('No cookie in header')
  const id = await readID(handshake, header, setup)
  const live = await registry.open(id, freshFor)
  handshake.session = live.session
  rememberLive(live)
  return live
}

/** Characters of a cookie's value: longer ones are of no browser. */
const maxValueLength = 4_096

async function readID(handshake: sessionIO.Handshake, header: string, setup: Setup): Promise<string> {
  const { cookieParser, key, options, timeout } = setup
  // Bounded, and before the parser: a giant header costs no parsing and no HMAC.
  const raw = decode(parseHeader(header)[key] ?? '')
  const isOurs = raw.length <= maxValueLength && !/^"?(s:)?j:/.test(raw) // Old parsers take off a first quote alone.
  if (!isOurs) throw noCookie(key)
  const parsedBefore = Boolean(handshake.cookies)
  const [error] = await ask<[error?: unknown]>('session.io: the cookie parser', timeout, (next) =>
    cookieParser(handshake as never, {} as never, next),
  )
  if (error) throw error
  // The parser skips cookies that were parsed before, by who knows which parser: those need the signature in any case.
  const mayBePlain = options.allowUnsigned || (!parsedBefore && !handshake.secret)
  const plain = mayBePlain ? handshake.cookies?.[key] : undefined
  const id = handshake.secureCookies?.[key] || handshake.signedCookies?.[key] || plain
  if (typeof id === 'string' && id !== '') return id
  if (!mayBePlain && handshake.cookies?.[key]) warnUnsigned()
  throw noCookie(key)
}

let isWarned = false

function warnUnsigned(): void {
  const text = `session.io: a cookie without signature was refused. If yours have none, and whoever knows an id may come in: ${howToSet('allowUnsigned', true)}`
  if (!isWarned) process.emitWarning(text, 'LegacySessionWarning')
  isWarned = true
}

/** A refusal in the words of session.io, which passed strings where errors belong. */
class Refusal extends Error {}

function noCookie(key: string): Refusal {
  return new Refusal(`Could not find cookie with key: ${key}`)
}

/** What `done` is told of a failure: the parser's, the store's or `fn`'s own error; none for an unknown session. */
function told(failure: unknown): Verdict {
  if (failure instanceof Refusal) return [failure.message, false]
  if (!(failure instanceof SessionError)) return [failure, false]
  return [failure.code === 'ERR_SESSION_NOT_FOUND' ? null : (failure.cause ?? failure), false]
}

function check(argument: string, fits: boolean, expected: string): void {
  if (!fits) throw new SessionError('ERR_SESSION_OPTIONS', `session.io: ${argument}: expected ${expected}`)
}

export = sessionIO
