/**
 * Handshake → verified session id: origin, cookie, signature, in this order, none of which asks the store. And
 * `explainHandshake`, which takes the same steps aloud.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { decode, parseHeader, readCookie, type Verifier } from './cookie'
import { SessionError, type SessionErrorCode } from './errors'
import type { ResolvedOptions } from './options'
import { type AllCors, checkOrigin } from './origin'
import type { SessionStore } from './store'
import type { Tickets } from './ticket'

/** An `IncomingMessage`, a Socket.IO handshake, or anything with the headers of the request. */
export interface HandshakeLike {
  headers: IncomingHttpHeaders
  url?: string | undefined
  /** What a Socket.IO client gave as `auth`; a `ticket` in it stands for the cookie. */
  auth?: { [key: string]: unknown }
}

/** The ticket in a handshake, if there is one: what the client sent, of any type. */
export function ticketOf(handshake: HandshakeLike): unknown {
  return handshake?.auth?.ticket
}

/**
 * @returns a promise only where the check of the origin takes time
 * @throws SessionError (or rejects) `ERR_SESSION_ORIGIN`, `ERR_SESSION_COOKIE_MISSING`, `ERR_SESSION_SIGNATURE`
 */
export function identify(
  handshake: HandshakeLike,
  { name, origins }: ResolvedOptions,
  cors: AllCors,
  verifier: Verifier,
): string | Promise<string> {
  const { headers, url } = check(handshake)
  const verify = () => verifier.verify(readCookie(headers.cookie, name))
  const checking = checkOrigin(headers, origins, cors, url)
  return checking ? checking.then(verify) : verify()
}

export interface ExplanationStep {
  step: 'ticket' | 'origin' | 'cookie' | 'signature' | 'session'
  ok: boolean
  /** What was seen. Never an id, a secret or a cookie's value. */
  detail: string
}

export interface Explanation {
  /** Whether a socket with this handshake would be let in. */
  accepted: boolean
  /** The steps taken, the last one the first that failed. */
  steps: ExplanationStep[]
  /** Set when there is no session. */
  code?: SessionErrorCode
  /** The first cause, and how to mend it. */
  cause?: string
}

export async function explainHandshake(
  handshake: HandshakeLike,
  options: ResolvedOptions,
  cors: AllCors,
  store: SessionStore,
  { verifier, tickets }: { verifier: Verifier; tickets: Tickets },
): Promise<Explanation> {
  const { headers, url } = check(handshake)
  const steps: ExplanationStep[] = []
  const ticket = ticketOf(handshake)
  let current: ExplanationStep['step'] = ticket === undefined ? 'origin' : 'ticket'
  const passed = (detail: string, next: ExplanationStep['step'] = current) => {
    steps.push({ step: current, ok: true, detail })
    current = next
  }
  const cookieID = async () => {
    await checkOrigin(headers, options.origins, cors, url)
    passed(headers.origin === undefined ? 'no Origin header: not a page of another site' : 'allowed', 'cookie')
    const value = readCookie(headers.cookie, options.name)
    passed(`there is a cookie named ${options.name}`, 'signature')
    const id = verifier.verify(value)
    passed('signed with one of the secrets', 'session')
    return id
  }
  try {
    const shown = ticket === undefined ? undefined : tickets.read(ticket)
    if (shown) passed('issued with one of the secrets, and not expired', 'session')
    const record = await store.get(shown ? shown.id : await cookieID())
    if (!record) throw new SessionError('ERR_SESSION_NOT_FOUND', 'the store has no such session')
    passed('the store has it', 'ticket')
    if (shown) tickets.assertUnused(shown, record)
    return { accepted: true, steps }
  } catch (error) {
    const refusal = error as SessionError
    const cause = [refusal.message, ...hints(refusal, headers, options, verifier)].join('. ')
    steps.push({ step: current, ok: false, detail: cause })
    return { accepted: !options.required && isAnonymous(refusal), steps, code: refusal.code, cause }
  }
}

const anonymous: readonly SessionErrorCode[] = [
  'ERR_SESSION_COOKIE_MISSING',
  'ERR_SESSION_SIGNATURE',
  'ERR_SESSION_NOT_FOUND',
  'ERR_SESSION_ORIGIN',
  'ERR_SESSION_TICKET',
]

/** Whether the handshake merely has no session, as against a store that could not tell. */
export function isAnonymous({ code }: SessionError): boolean {
  return anonymous.includes(code)
}

/** The usual misconfigurations behind a refusal, as far as this handshake shows them. */
function hints(
  { code }: SessionError,
  headers: IncomingHttpHeaders,
  options: ResolvedOptions,
  verifier: Verifier,
): string[] {
  if (code === 'ERR_SESSION_COOKIE_MISSING') return cookieHints(headers, options, verifier)
  if (code === 'ERR_SESSION_NOT_FOUND') return storeHints(options)
  return []
}

/** What a cookie's name may be (RFC 6265, section 4.1.1). Anything else, in a header that is mangled, may be a value. */
const token = /^[\w!#$%&'*+.^`|~-]{1,64}$/
/** How many other cookies are looked at and named. */
const mostHints = 20

function cookieHints(headers: IncomingHttpHeaders, { name }: ResolvedOptions, verifier: Verifier): string[] {
  let cookies: Record<string, string | undefined>
  try {
    cookies = parseHeader(headers.cookie)
  } catch {
    return []
  }
  const names = Object.keys(cookies)
  if (names.length === 0) return ['No cookie at all came']
  const others = names.filter((other) => token.test(other)).slice(0, mostHints)
  if (others.length === 0) return ['No cookie with a valid name came']
  const ours = others.find((other) => isGenuine(decode(cookies[other] ?? ''), verifier))
  if (ours)
    return [
      `The cookie ${printable(ours)} is signed with our secret: is it the \`name\` that session() has? (here: ${name})`,
    ]
  return [`Cookies that came: ${others.map(printable).join(', ')}`]
}

function isGenuine(value: string, verifier: Verifier): boolean {
  try {
    return Boolean(verifier.verify(value))
  } catch {
    return false
  }
}

/** express-session puts `generate` on the store it is given, so its absence tells that it was given another. */
function storeHints({ store }: ResolvedOptions): string[] {
  if (typeof (store as { generate?: unknown }).generate === 'function') {
    return ['The cookie is genuine, so the session expired or was destroyed']
  }
  return [
    'The cookie is genuine, but express-session in this process was not given this store instance: ' +
      'pass the same object to session() and to handshakeSession()',
  ]
}

function printable(text: string): string {
  return JSON.stringify(text.slice(0, 64))
}

/** @throws SessionError `ERR_SESSION_OPTIONS` */
function check(handshake: HandshakeLike): HandshakeLike {
  const headers: unknown = handshake?.headers
  if (typeof headers === 'object' && headers !== null) return handshake
  throw new SessionError(
    'ERR_SESSION_OPTIONS',
    `expected a request or a handshake, an object with \`headers\`; got ${headers === undefined ? 'none' : typeof headers}`,
  )
}
