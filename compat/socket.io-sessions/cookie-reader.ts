/**
 * HTTP request → the session id of its cookie, in the three ways an app may say how: its `cookieParser()`, its own
 * function, or the secret alone. A cookie that is not signed is nobody's as soon as there is a secret.
 */
import type { IncomingMessage } from 'node:http'
import { type Secret, SessionError } from '../../src/index'
import { readCookie, Verifier } from '../../src/internals'

/** @throws SessionError `ERR_SESSION_COOKIE_MISSING`, `ERR_SESSION_SIGNATURE`, and what the app's function throws */
export type CookieReader = (request: IncomingMessage) => string | Promise<string>

/** What `cookieParser()` leaves on a request. */
interface Parsed {
  secret?: unknown
  cookies?: Record<string, unknown>
  signedCookies?: Record<string, unknown>
}

export function useParser(
  parser: (request: never, response: never, next: () => void) => unknown,
  name: string,
  secrets: readonly Secret[],
): CookieReader {
  return (request) => {
    parser(request as never, null as never, () => {})
    const { secret, cookies, signedCookies } = request as IncomingMessage & Parsed
    const signed = signedCookies?.[name]
    if (typeof signed === 'string') return signed
    const plain = checked(cookies?.[name])
    if (secrets.length === 0 && secret && !plain.startsWith('s:')) throw unsigned()
    return secrets.length > 0 ? new Verifier(secrets).verify(plain) : unwrap(plain, secrets)
  }
}

/** What the app's own function returns is taken at its word, except that `s:…` is a signed cookie. */
export function trustCutter(cutter: (request: never) => unknown, secrets: readonly Secret[]): CookieReader {
  return async (request) => unwrap(checked(await cutter(request as never)), secrets)
}

export function readSigned(name: string, secrets: readonly Secret[]): CookieReader {
  return (request) => new Verifier(secrets).verify(readCookie(request.headers.cookie, name))
}

function unwrap(value: string, secrets: readonly Secret[]): string {
  if (!value.startsWith('s:')) return value
  if (secrets.length > 0) return new Verifier(secrets).verify(value)
  throw new SessionError(
    'ERR_SESSION_OPTIONS',
    'the session cookie is signed, and nothing here has its secret: add `secret` to the arguments of enable, the one of session()',
  )
}

/** A cookie may also be an object, by the `j:` of cookie-parser. */
function checked(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new SessionError('ERR_SESSION_COOKIE_MISSING', 'the request has no session cookie')
}

function unsigned(): SessionError {
  return new SessionError('ERR_SESSION_SIGNATURE', 'the session cookie is not signed, though cookieParser has a secret')
}
