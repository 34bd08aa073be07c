/** Whose session it is: the login that Passport keeps there, the same for as long as the socket lives; and why there is none. */
import { type ExpressSession, type HandshakeLike, SessionError } from '../../src'
import { isAnonymous } from '../../src/internals'

/** In the words of the original; `critical` as it was there: apps let others in by that. */
export interface Refusal {
  readonly message: string
  readonly critical: boolean
}

export const noUser: Refusal = { message: 'User not found', critical: false }
const noLogin: Refusal = {
  message: 'User not authorized through passport. (User Property not found)',
  critical: false,
}
const noPassport: Refusal = { message: 'Passport was not initialized', critical: true }

export class Logins {
  readonly #key: string
  /** With which each handshake came. */
  readonly #known = new WeakMap<HandshakeLike, string>()
  readonly #refusals = new WeakMap<HandshakeLike, Refusal>()

  /** @param key where Passport keeps the login in the session */
  constructor(key: string) {
    this.#key = key
  }

  /** What `deserializeUser` gets. */
  of(session: ExpressSession): unknown {
    return this.#in(session)?.user
  }

  /** For the option `authorize`: asked again whenever the session has changed. */
  readonly isSame = (session: ExpressSession, handshake: HandshakeLike): boolean => {
    const login = JSON.stringify(this.of(session))
    if (login === undefined) this.#refusals.set(handshake, this.#in(session) ? noLogin : noPassport)
    else if (!this.#known.has(handshake)) this.#known.set(handshake, login)
    return login !== undefined && login === this.#known.get(handshake)
  }

  refusalOf(handshake: HandshakeLike, error: SessionError): Refusal {
    const told = error.cause instanceof SessionError ? error.cause : error
    if (told.code === 'ERR_SESSION_FORBIDDEN') return this.#refusals.get(handshake) ?? noLogin
    if (isAnonymous(told)) return { message: 'No session found', critical: false }
    return { message: `Error in session store:\n${messageOf(told.cause ?? told)}`, critical: true }
  }

  #in(session: ExpressSession): { user?: unknown } | undefined {
    const login = (session as unknown as Record<string, unknown>)[this.#key]
    return login ? (login as { user?: unknown }) : undefined
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
