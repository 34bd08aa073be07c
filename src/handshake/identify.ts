/** Handshake → verified session id: origin, cookie, signature, in this order, none of which asks the store. */
import { SessionError } from '../errors'
import { type CookieVerifier, readCookie } from './cookie'
import { type AllCors, checkOrigin, type Origins, type RequestLike } from './origin'

/** An `IncomingMessage`, a Socket.IO handshake, or anything with the headers of the request. */
export interface HandshakeLike extends RequestLike {
  /** What a Socket.IO client gave as `auth`; a `ticket` in it stands for the cookie. */
  auth?: { [key: string]: unknown }
}

/** Whose cookie it is, and who may use it. */
export interface Identity {
  readonly name: string
  readonly origins: Origins | undefined
  readonly cors: AllCors
  readonly verifier: CookieVerifier
}

/** The ticket in a handshake, if there is one: what the client sent, of any type. */
export function ticketOf(handshake: HandshakeLike): unknown {
  return handshake?.auth?.ticket
}

/** Told of each step that was passed, and which is next. */
type Passed = (detail: string, next: 'cookie' | 'signature' | 'session') => void

/**
 * @returns a promise only where the check of the origin takes time
 * @throws SessionError (or rejects) `ERR_SESSION_ORIGIN`, `ERR_SESSION_COOKIE_MISSING`, `ERR_SESSION_SIGNATURE`
 */
export function identify(handshake: HandshakeLike, identity: Identity, passed?: Passed): string | Promise<string> {
  checkHandshake(handshake)
  const checking = checkOrigin(handshake, identity.origins, identity.cors)
  return checking ? checking.then(() => verify(handshake, identity, passed)) : verify(handshake, identity, passed)
}

function verify(handshake: HandshakeLike, { name, verifier }: Identity, passed?: Passed): string {
  const { headers } = handshake
  passed?.(headers.origin === undefined ? 'no Origin header: not a page of another site' : 'allowed', 'cookie')
  verifier.check?.(handshake)
  const value = readCookie(headers.cookie, name)
  passed?.(`there is a cookie named ${name}`, 'signature')
  const id = verifier.verify(value)
  passed?.('signed with one of the secrets', 'session')
  return id
}

/** @throws SessionError `ERR_SESSION_OPTIONS` */
export function checkHandshake(handshake: HandshakeLike): HandshakeLike {
  const headers: unknown = handshake?.headers
  if (typeof headers === 'object' && headers !== null) return handshake
  const came = headers === undefined ? 'none' : typeof headers
  const message = `expected a request or a handshake, an object with \`headers\`; got ${came}`
  throw new SessionError('ERR_SESSION_OPTIONS', message)
}

/** @throws SessionError `ERR_SESSION_OPTIONS` */
export function checkID(id: unknown): string {
  if (typeof id === 'string' && id !== '') return id
  throw new SessionError('ERR_SESSION_OPTIONS', 'expected a session id, a string that is not empty')
}
