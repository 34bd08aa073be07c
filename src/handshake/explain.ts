/** Why a handshake is or would be refused: the steps of `identify.ts`, the session, and the usual causes. */
import { attempt, isAnonymous, SessionError, type SessionErrorCode } from '../errors'
import type { SessionRecord } from '../store/record'
import type { SessionStore } from '../store/session-store'
import { decode, parseHeader } from './cookie'
import { checkHandshake, type HandshakeLike, type Identity, identify, ticketOf } from './identify'
import type { Tickets } from './ticket'

export interface ExplanationStep {
  step: 'ticket' | 'origin' | 'cookie' | 'signature' | 'session' | 'authorize'
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

/** What decides whether a handshake is accepted. */
export interface Policy extends Identity {
  readonly store: SessionStore
  readonly tickets: Tickets
  /** Whether a connection without a session is refused. */
  readonly required: boolean
  /** Whether this session may have a socket; undefined where every one may. @throws SessionError (rejects) `ERR_SESSION_FORBIDDEN` */
  authorizes?(id: string, record: SessionRecord, handshake: HandshakeLike): Promise<void>
}

export async function explainHandshake(handshake: HandshakeLike, by: Policy): Promise<Explanation> {
  const { headers } = checkHandshake(handshake)
  const steps: ExplanationStep[] = []
  const ticket = ticketOf(handshake)
  let current: ExplanationStep['step'] = ticket === undefined ? 'origin' : 'ticket'
  const passed = (detail: string, next: ExplanationStep['step'] = current) => {
    steps.push({ step: current, ok: true, detail })
    current = next
  }
  try {
    const shown = ticket === undefined ? undefined : by.tickets.read(ticket)
    if (shown) passed('issued with one of the secrets, and not expired', 'session')
    const id = shown ? shown.id : await identify(handshake, by, passed)
    const record = await by.store.get(id)
    if (!record) throw new SessionError('ERR_SESSION_NOT_FOUND', 'the store has no such session')
    passed('the store has it', 'ticket')
    if (shown) by.tickets.assertUnused(shown, record)
    if (by.authorizes) {
      current = 'authorize'
      await by.authorizes(id, record, handshake)
      passed('it says true')
    }
    return { accepted: true, steps }
  } catch (error) {
    const { code, message } = error as SessionError
    const cause = `${message}${hint(code, headers.cookie, by)}`
    steps.push({ step: current, ok: false, detail: cause })
    return { accepted: !by.required && isAnonymous(error as SessionError), steps, code, cause }
  }
}

/** The usual misconfigurations behind a refusal, as far as this handshake shows them. */
function hint(code: SessionErrorCode, header: unknown, by: Policy): string {
  if (code === 'ERR_SESSION_COOKIE_MISSING') return cookieHint(header, by)
  if (code !== 'ERR_SESSION_NOT_FOUND') return ''
  if (by.store.isUsedByMiddleware) return '. The cookie is genuine, so the session expired or was destroyed'
  const misfit = 'express-session in this process was not given this store instance'
  return `. The cookie is genuine, but ${misfit}: pass the same object to session() and to handshakeSession()`
}

/** What a cookie's name may be (RFC 6265, section 4.1.1), but for `%`. */
const token = /^[\w!#$&'*+.^`|~-]{1,64}$/
/** In a header that is mangled or pasted in part, what is random may be a value; and what is encoded. */
const random = /[\dA-Za-z+]{20}/
/** How many other cookies are looked at and named. */
const mostHints = 20

function cookieHint(header: unknown, { name, verifier }: Identity): string {
  const cookies = attempt(() => parseHeader(header))
  if (!cookies) return ''
  const names = Object.keys(cookies)
  if (names.length === 0) return '. No cookie at all came'
  const others: string[] = []
  for (const other of names) {
    if (others.length < mostHints && token.test(other) && !random.test(other)) others.push(other)
  }
  if (others.length === 0) return '. No cookie with a valid name came'
  const ours = others.find((other) => attempt(() => verifier.verify(decode(cookies[other] ?? ''))))
  if (!ours) return `. Cookies that came: ${others.map((other) => JSON.stringify(other)).join(', ')}`
  const question = `is it the \`name\` that session() has? (here: ${name})`
  return `. The cookie ${JSON.stringify(ours)} is signed with our secret: ${question}`
}
