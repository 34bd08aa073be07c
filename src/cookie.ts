/**
 * Cookie header → verified session id, as express-session writes it: `s:<id>.<signature>`. Bounded before any work:
 * a header or a value too large costs no parse and no HMAC. What the id stands for is the store's business.
 */
import { timingSafeEqual } from 'node:crypto'
import { parseCookie } from 'cookie'
import { SessionError } from './errors'
import { Hmac } from './hash'
import type { Secret } from './options'

/** Characters of a Cookie header that are still read: twice what Node accepts by default for all headers. */
const maxHeaderLength = 32_768
/** Characters of one cookie: RFC 6265, section 6.1, asks browsers for 4096 bytes with name and attributes. */
const maxValueLength = 4_096
/** Of a signed value. */
const prefix = 's:'

/**
 * The value of the cookie `name`, percent-decoded; of several with that name the first, as express-session does.
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

/** Percent-decoded; what is malformed stays as it is, as in express-session. */
export function decode(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** How many genuine values are remembered at least, of twice as many at most. */
const fewestVerified = 500

/**
 * Verifies signed values as express-session signs them, and remembers up to a thousand that were genuine: the signature is most
 * of what it costs to find a session that is live. They are found by their hash, so the time it takes tells nothing of
 * how much of a forged one is right.
 */
export class Verifier {
  readonly #hmacs: readonly Hmac[]
  /** Value → id. When these are enough they become the older ones, and those are forgotten. */
  #latest = new Map<string, string>()
  #older = new Map<string, string>()

  constructor(secrets: readonly Secret[]) {
    this.#hmacs = secrets.map((secret) => new Hmac(secret))
  }

  /**
   * The session id in a signed value; every secret is tried, each comparison in constant time.
   * @throws SessionError `ERR_SESSION_SIGNATURE`
   */
  verify(value: string): string {
    const known = this.#latest.get(value)
    if (known !== undefined) return known
    const id = this.#older.get(value) ?? this.#idIn(value)
    if (this.#latest.size >= fewestVerified) {
      this.#older = this.#latest
      this.#latest = new Map()
    }
    this.#latest.set(value, id)
    return id
  }

  #idIn(value: string): string {
    if (!value.startsWith(prefix)) {
      throw new SessionError(
        'ERR_SESSION_SIGNATURE',
        'the session cookie is not signed; express-session always signs it',
      )
    }
    const dot = value.lastIndexOf('.')
    if (dot > prefix.length && value.length <= maxValueLength) {
      const id = value.slice(prefix.length, dot)
      const signature = Buffer.from(value.slice(dot + 1))
      if (this.#hmacs.some((hmac) => isSame(signature, hmac.of(id)))) return id
    }
    throw new SessionError(
      'ERR_SESSION_SIGNATURE',
      `the session cookie is signed with none of the ${this.#hmacs.length} secret(s): it was changed, ` +
        'or `secret` is not the one that session() has',
    )
  }
}

function isSame(given: Buffer, expected: string): boolean {
  return given.length === expected.length && timingSafeEqual(given, Buffer.from(expected))
}
