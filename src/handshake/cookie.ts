/**
 * Cookie header → the value of the session's cookie. Bounded before any work: a header too large costs no parse. What
 * the value proves is `signature.ts`'s business.
 */
import { parseCookie } from 'cookie'
import { SessionError } from '../errors'

/** Characters of a Cookie header that are still read: twice what Node accepts by default for all headers. */
const maxHeaderLength = 32_768

/**
 * The value of the cookie `name`, decoded; of several with that name the first, as express-session does.
 * @throws SessionError `ERR_SESSION_COOKIE_MISSING`
 */
export function readCookie(header: unknown, name: string): string {
  const value = parseHeader(header)[name]
  if (value !== undefined) return decode(value)
  throw new SessionError(
    'ERR_SESSION_COOKIE_MISSING',
    `the handshake has no cookie named ${name}: not logged in, another host name (localhost and 127.0.0.1 differ), ` +
      'a cookie that is Secure or of another path, or a client without withCredentials',
  )
}

/**
 * All cookies of a header, as they came: decoding is left to who wants one of them, for it costs most where it fails.
 * @throws SessionError `ERR_SESSION_COOKIE_MISSING` if it is too large
 */
export function parseHeader(header: unknown): Record<string, string | undefined> {
  if (typeof header !== 'string') return Object.create(null)
  if (header.length > maxHeaderLength) {
    throw new SessionError(
      'ERR_SESSION_COOKIE_MISSING',
      `the Cookie header has ${header.length} characters; more than ${maxHeaderLength} are not read`,
    )
  }
  return parseCookie(header, { decode: (value) => value })
}

/** Without quotes, and percent-decoded; what is malformed stays as it is, as in express-session. */
export function decode(value: string): string {
  const plain = /^".*"$/s.test(value) ? value.slice(1, -1) : value
  try {
    return decodeURIComponent(plain)
  } catch {
    return plain
  }
}
