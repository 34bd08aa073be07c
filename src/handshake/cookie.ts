/**
 * Cookie header → the value of the session's cookie → the session id in it, as express-session signs it:
 * `s:<id>.<signature>`. Bounded before any work: what is too large costs no parse and no HMAC.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { parseCookie } from 'cookie'
import { unsign } from 'cookie-signature'
import { BoundedMap } from '../bounded-map'
import { SessionError } from '../errors'
import type { RequestLike } from './origin'

/** Whatever `crypto.createHmac` takes as a key, as in express-session. */
export type Secret = string | NodeJS.ArrayBufferView | KeyObject

/** Characters of one cookie: RFC 6265, section 6.1, asks browsers for 4096 bytes with name and attributes. */
const maxLength = 4_096
/** Of a signed value. */
const prefix = 's:'
/** How many genuine values are remembered. */
const mostGenuine = 1_000
/** Decoding is left to who wants a cookie, for it costs most where it fails. */
const asTheyCame = { decode: (value: string) => value }
/** Characters of a Cookie header that are still read: twice what Node accepts by default for all headers. */
const maxHeaderLength = 32_768

/** Why there may be no cookie. */
const reasons = [
  'The usual reasons:',
  '- nobody has logged in yet: with saveUninitialized: false there is no cookie before the session has content',
  '- the page and the socket use other host names: localhost and 127.0.0.1 differ',
  '- the cookie is Secure and the connection is not, or it has another path or domain',
  '- the page is of another site, and the client was made without withCredentials: true',
]

/**
 * The value of the cookie `name`, decoded; of several with that name the first, as express-session does.
 * @throws SessionError `ERR_SESSION_COOKIE_MISSING`
 */
export function readCookie(header: unknown, name: string): string {
  const value = parseHeader(header)[name]
  if (value !== undefined) return decode(value)
  throw new SessionError(
    'ERR_SESSION_COOKIE_MISSING',
    [`the handshake has no cookie named ${name}`, ...reasons].join('\n'),
  )
}

/**
 * All cookies of a header, not decoded.
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
  return parseCookie(header, asTheyCame)
}

/** Without quotes, and percent-decoded; what is malformed stays as it is, as in express-session. */
export function decode(value: string): string {
  const plain = value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
  try {
    return decodeURIComponent(plain)
  } catch {
    return plain
  }
}

/** What tells whether a session cookie is genuine, and which session it means. */
export interface CookieVerifier {
  /** Whether such a request is looked at, whatever cookie it has. @throws SessionError for whatever speaks against that */
  check?(request: RequestLike): void
  /** The session id in a signed value. @throws SessionError `ERR_SESSION_SIGNATURE` */
  verify(value: string): string
}

/**
 * Remembers values that were genuine: the signature is most of what it costs to find a session that is live. They are found
 * by their hash, so the time it takes tells nothing of how much of a forged one is right.
 */
export function remembering(verify: CookieVerifier['verify']): CookieVerifier['verify'] {
  const genuine = new BoundedMap<string, string>(mostGenuine)
  return (value) => {
    const id = genuine.get(value) ?? verify(value)
    genuine.set(value, id)
    return id
  }
}

/** Verifies by the secrets; every one is tried, each comparison in constant time. */
export class Verifier implements CookieVerifier {
  readonly #secrets: readonly Secret[]

  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets.map((secret) => (typeof secret === 'string' ? createSecretKey(secret, 'utf8') : secret))
  }

  readonly verify = remembering((value) => {
    const signed = signedPart(value)
    if (signed !== undefined) {
      for (const secret of this.#secrets) {
        const id = unsign(signed, secret)
        if (id !== false) return id
      }
    }
    const count = this.#secrets.length
    throw unknown(
      `signed with none of the ${count} secret(s): it was changed, or \`secret\` is not the one that session() has`,
    )
  })
}

const foreign = "\n- other session libraries sign without `s:` (@fastify/session has `cookiePrefix: 's:'` for that)"

/** What is signed in a value, with its signature; undefined where that need not be looked at. @throws SessionError `ERR_SESSION_SIGNATURE` */
export function signedPart(value: string): string | undefined {
  if (!value.startsWith(prefix)) throw refused(`not signed; express-session always signs it${foreign}`)
  const signed = value.slice(prefix.length)
  return signed.lastIndexOf('.') > 0 && value.length <= maxLength ? signed : undefined
}

/** No secret of ours signed it. */
export function unknown(what: string): SessionError {
  return refused(`${what}\n- the secret of cookie-parser is another one: only that of session() counts`)
}

function refused(what: string): SessionError {
  return new SessionError('ERR_SESSION_SIGNATURE', `the session cookie is ${what}`)
}
