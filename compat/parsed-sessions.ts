/**
 * For the shims that were given a store, a cookie parser and the name of the cookie, as was usual when the parser verified
 * cookies: the three as a function like the one that `session()` returns, which is enough for `handshakeSession`.
 */
import { SessionError, type SessionMiddleware, type StoreLike } from '../src'

/** What `cookieParser(secret)` returns. It answers at once, as all do that only parse. */
export type CookieParser = (request: never, response: never, next: (error?: unknown) => void) => unknown

interface Request {
  headers: object
  secret?: unknown
  secureCookies?: Record<string, unknown> // Of Connect 1.
  signedCookies?: Record<string, unknown>
  sessionStore?: StoreLike
  sessionID?: unknown
}

/**
 * @param who the package, for messages
 * @throws SessionError `ERR_SESSION_OPTIONS`
 */
export function asSessionMiddleware(who: string, store: StoreLike, parser: CookieParser, key: string) {
  const check = (argument: string, fits: boolean, expected: string) => {
    if (!fits) throw new SessionError('ERR_SESSION_OPTIONS', `${who}: ${argument}: expected ${expected}`)
  }
  const isStore = (['get', 'set', 'destroy'] as const).every((method) => typeof store?.[method] === 'function')
  check('store', isStore, 'the session store, with get, set and destroy')
  check('key', typeof key === 'string' && key !== '', 'the name of the session cookie')
  const parsed = parse(parser, { headers: { cookie: 'name=value' } })
  check(
    'cookieParser',
    parsed !== undefined,
    'a function (request, response, next), as cookieParser(secret) gives, that answers at once and without an error',
  )
  const hasNoSecret = Object.hasOwn(Object(parsed), 'secret') && parsed?.secret === undefined
  check('cookieParser', !hasNoSecret, 'one with the secret of session(), as cookieParser(secret) gives')
  const find: SessionMiddleware = (request: Request) => {
    const { signedCookies, secureCookies } = parse(parser, { headers: request.headers }) ?? {}
    const id = secureCookies?.[key] || signedCookies?.[key] || request.signedCookies?.[key]
    request.sessionStore = store
    request.sessionID = id
  }
  return find
}

/** A request of its own, as parsers skip one that was parsed before. @returns undefined if it fails, or does not answer at once */
export function parse(parser: CookieParser, request: Request): Request | undefined {
  let parsed: Request | undefined
  try {
    const returned = parser(request as never, {} as never, (error) => {
      if (!error) parsed = request
    })
    Promise.resolve(returned).catch(() => {})
  } catch {
    return undefined
  }
  return parsed
}
