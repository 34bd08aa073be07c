/**
 * Why a handshake is or would be refused: the steps of `identify.ts`, taken aloud, and the session.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { SessionError, type SessionErrorCode } from '../errors'
import type { SessionStore } from '../store/session-store'
import { decode, parseHeader, readCookie } from './cookie'
import { checkHandshake, type HandshakeLike, type Identity, isAnonymous, ticketOf } from './identify'
import { checkOrigin } from './origin'
import type { Verifier } from './signature'
import type { Tickets } from './ticket'

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
  identity: Identity,
  { store, tickets, required }: { store: SessionStore; tickets: Tickets; required: boolean },
): Promise<Explanation> {
  const request = checkHandshake(handshake)
  const { headers } = request
  const steps: ExplanationStep[] = []
  const ticket = ticketOf(handshake)
  let current: ExplanationStep['step'] = ticket === undefined ? 'origin' : 'ticket'
  const passed = (detail: string, next: ExplanationStep['step'] = current) => {
    steps.push({ step: current, ok: true, detail })
    current = next
  }
  const cookieID = async () => {
    await checkOrigin(request, identity.origins, identity.cors)
    passed(headers.origin === undefined ? 'no Origin header: not a page of another site' : 'allowed', 'cookie')
    const value = readCookie(headers.cookie, identity.name)
    passed(`there is a cookie named ${identity.name}`, 'signature')
    const id = identity.verifier.verify(value)
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
    const cause = [refusal.message, ...hints(refusal, headers, identity, store)].join('. ')
    steps.push({ step: current, ok: false, detail: cause })
    return { accepted: !required && isAnonymous(refusal), steps, code: refusal.code, cause }
  }
}

/** The usual misconfigurations behind a refusal, as far as this handshake shows them. */
function hints(
  { code }: SessionError,
  headers: IncomingHttpHeaders,
  identity: Identity,
  store: SessionStore,
): string[] {
  if (code === 'ERR_SESSION_COOKIE_MISSING') return cookieHints(headers, identity)
  if (code === 'ERR_SESSION_NOT_FOUND') return storeHints(store)
  return []
}

/**
 * What a cookie's name may be (RFC 6265, section 4.1.1), and looks like: in a header that is mangled or pasted in part,
 * anything that is encoded or random may be a value.
 */
const token = /^(?!.*[\dA-Za-z+]{20})[\w!#$&'*+.^`|~-]{1,64}$/
/** How many other cookies are looked at and named. */
const mostHints = 20

function cookieHints(headers: IncomingHttpHeaders, { name, verifier }: Identity): string[] {
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

function storeHints(store: SessionStore): string[] {
  if (store.isUsedByMiddleware) {
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
