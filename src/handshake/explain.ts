/** Why a handshake is or would be refused: the steps of `identify.ts`, the session, and the usual causes. */
import { isAnonymous, SessionError, type SessionErrorCode } from '../errors'
import type { SessionRecord } from '../store/record'
import { type Surroundings, withHint } from './hints'
import { checkHandshake, type HandshakeLike, identify, ticketOf } from './identify'

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
export interface Policy extends Surroundings {
  /** Whether a connection without a session is refused. */
  readonly required: boolean
  /** The session of this id as a handshake would find it now; undefined if it is over. @throws as a read of the store */
  recordOf(id: string): Promise<SessionRecord | undefined>
  /** Whether this session may have a socket; undefined where every one may. @throws SessionError (rejects) `ERR_SESSION_FORBIDDEN` */
  authorizes?(id: string, record: SessionRecord): Promise<void>
}

export async function explainHandshake(handshake: HandshakeLike, by: Policy): Promise<Explanation> {
  checkHandshake(handshake)
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
    const record = await by.recordOf(id)
    if (!record) throw new SessionError('ERR_SESSION_NOT_FOUND', 'the store has no such session')
    passed('the store has it', 'ticket')
    if (shown) by.tickets.assertUnused(shown, record)
    if (by.authorizes) {
      current = 'authorize'
      await by.authorizes(id, record)
      passed('it says true')
    }
    return { accepted: true, steps }
  } catch (error) {
    const { code } = error as SessionError
    const cause = withHint(error as SessionError, handshake, by)
    steps.push({ step: current, ok: false, detail: cause })
    return { accepted: !by.required && isAnonymous(error as SessionError), steps, code, cause }
  }
}
