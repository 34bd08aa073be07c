/** The usual misconfigurations behind a refusal, as far as a handshake shows them. Holds no id, no secret and no cookie. */
import { attempt, SessionError, type SessionErrorCode } from '../errors'
import { isUsedByMiddleware } from '../store/express-session'
import type { StoreLike } from '../store/record'
import { type CookieVerifier, decode, parseHeader, readCookie } from './cookie'
import { type HandshakeLike, type Identity, ticketOf } from './identify'
import type { Tickets } from './ticket'

/** What is known here of sessions and cookies. */
export interface Surroundings extends Identity {
  readonly store: StoreLike
  readonly tickets: Tickets
  /** Whether a write of this session is on its way to the store. */
  isBeingWritten(id: string): boolean
}

/** How many refusals a second are looked at: a flood of them costs no more. */
const mostPerSecond = 10

/** Adds hints to refusals, so many a second. */
export class Hints {
  readonly #here: Surroundings
  #second = 0
  #given = 0

  constructor(here: Surroundings) {
    this.#here = here
  }

  /** The same refusal, with what its handshake shows; beyond the bound as it is. */
  addTo(error: SessionError, handshake: HandshakeLike): SessionError {
    const second = Math.trunc(performance.now() / 1_000)
    if (second !== this.#second) [this.#second, this.#given] = [second, 0]
    if (this.#given >= mostPerSecond) return error
    this.#given++
    const message = withHint(error, handshake, this.#here)
    return new SessionError(error.code, message, Object.hasOwn(error, 'cause') ? { cause: error.cause } : undefined)
  }
}

/** The message, its first line with what this handshake shows. */
export function withHint({ code, message }: SessionError, handshake: HandshakeLike, here: Surroundings): string {
  const [first, ...more] = message.split('\n')
  return [first + hintOn(code, handshake, here), ...more].join('\n')
}

/** Characters of a Cookie header that is still looked at: a larger one may have thousands of names. */
const maxHeaderLength = 8_192

function hintOn(code: SessionErrorCode, handshake: HandshakeLike, here: Surroundings): string {
  if (code === 'ERR_SESSION_NOT_FOUND') return storeHint(handshake, here)
  const cookie: unknown = handshake.headers.cookie
  if (typeof cookie === 'string' && cookie.length > maxHeaderLength) return ''
  if (code === 'ERR_SESSION_SIGNATURE') return signatureHint(cookie, here)
  return code === 'ERR_SESSION_COOKIE_MISSING' ? namesHint(cookie, here) : ''
}

function storeHint(handshake: HandshakeLike, { store, tickets, name, verifier, isBeingWritten }: Surroundings): string {
  const ticket = ticketOf(handshake)
  const cookie = () => verifier.verify(readCookie(handshake.headers.cookie, name))
  const id = attempt(() => (ticket === undefined ? cookie() : tickets.read(ticket).id))
  if (id !== undefined && isBeingWritten(id)) {
    const mend =
      'let the page connect when the response is there: `req.session.save(() => res.redirect(…))` in the route'
    return `. The session was not saved yet when the socket came: ${mend}`
  }
  if (isUsedByMiddleware(store)) return '. The cookie is genuine, so the session expired or was destroyed'
  const misfit =
    'express-session in this process was given another store instance, and was not given this store instance'
  return `. The cookie is genuine, but ${misfit}: pass what session() returned to handshakeSession(), or the same store to both`
}

function signatureHint(header: unknown, { name, verifier }: Identity): string {
  const isTwice =
    String(header)
      .split(';')
      .filter((cookie) => cookie.split('=', 1)[0]?.trim() === name).length > 1
  const twice = isTwice ? '. Two cookies of that name came, of other paths or domains, and the first counts' : ''
  const value = attempt(() => readCookie(header, name))
  const isBare = value !== undefined && attempt(() => verifier.verify(`s:${value}`)) !== undefined
  return twice + (isBare ? '. It is signed with our secret, but without `s:`' : '')
}

/** What a cookie's name may be (RFC 6265, section 4.1.1), but for `%`. */
const token = /^[\w!#$&'*+.^`|~-]{1,64}$/
/** In a header that is mangled or pasted in part, what is random may be a value; and what is encoded. */
const random = /[\dA-Za-z+]{20}/
/** How many other cookies are looked at and named. */
const mostNames = 20

function namesHint(header: unknown, { name, verifier }: { name: string; verifier: CookieVerifier }): string {
  const cookies = parseHeader(header)
  if (cookies[name] !== undefined) return ''
  const names = Object.keys(cookies)
  if (names.length === 0) return '. No cookie at all came'
  const others: string[] = []
  for (const other of names) {
    if (others.length < mostNames && token.test(other) && !random.test(other)) others.push(other)
  }
  if (others.length === 0) return '. No cookie with a valid name came'
  const ours = others.find((other) => attempt(() => verifier.verify(decode(cookies[other] ?? ''))))
  if (!ours) return `. Cookies that came: ${others.map((other) => JSON.stringify(other)).join(', ')}`
  const question = `is it the \`name\` that session() has? (here: ${name})`
  return `. The cookie ${JSON.stringify(ours)} is signed with our secret: ${question}`
}
