/**
 * What a client shows as `__sid` → its session. By default that is a token of the served script, good for 60 seconds and one
 * handshake; or the signed cookie value; or, where the app allows it, the bare id.
 */
import type { IncomingMessage } from 'node:http'
import { type Secret, SessionError } from '../../src/index'
import { type LiveSession, type SessionRegistry, type Ticket, Tickets, Verifier } from '../../src/internals'
import type { CookieReader } from './cookie-reader'

/** Characters of a `__sid` that are still looked at. */
const maxLength = 4_096

/** The `__sid` of an event that is one of the two handshakes: `connect_with_session`, or a message that says `connect`. */
export function shownIn(event: unknown, message: unknown): unknown {
  const { __sid, connect } = Object(message)
  return event === 'connect_with_session' || (event === 'message' && connect) ? __sid : undefined
}

export interface CredentialOptions {
  readonly registry: SessionRegistry
  /** Undefined in apps that never read a cookie. */
  readonly reader: CookieReader | undefined
  readonly secrets: readonly Secret[]
  readonly rawSid: boolean
  readonly matchCookie: boolean
}

export class Credentials {
  readonly #options: CredentialOptions
  readonly #tickets: Tickets

  constructor(options: CredentialOptions) {
    this.#options = options
    this.#tickets = new Tickets(options.secrets)
  }

  /** What the script of this request says as `CONNECT_SID`: a token, or with `raw` the id. Rejects if it has no session cookie. */
  forScript(raw: boolean): (request: IncomingMessage) => Promise<string> {
    return async (request) => {
      const id = await this.#cookieID(request)
      return raw ? id : this.#tickets.issue(id)
    }
  }

  /**
   * The session that a client proves to have. A token is used up by it.
   * @throws SessionError (rejects) `ERR_SESSION_TICKET`, `_SIGNATURE`, `_COOKIE_MISSING`, `_NOT_FOUND`, `_STORE`, `_TIMEOUT`
   */
  async open(sid: unknown, request: IncomingMessage | null | undefined): Promise<LiveSession> {
    const { id, ticket } = this.#read(sid)
    if (this.#options.matchCookie && (await this.#cookieID(request)) !== id) throw refused('it is not the cookie’s')
    const { registry } = this.#options
    const live = await registry.open(id, 0)
    if (isOfZappa(live.session.cookie)) throw refused('it is the session of a mere socket of zappajs')
    if (ticket) await this.#tickets.redeem(ticket, live)
    return live
  }

  /** A bare id looks like anything, so it is what is left when nothing else fits. */
  #read(sid: unknown): { id: string; ticket?: Ticket } {
    if (typeof sid !== 'string' || sid === '' || sid.length > maxLength) throw refused('it is not a string of an id')
    if (sid.startsWith('s:')) return { id: new Verifier(this.#options.secrets).verify(sid) }
    try {
      const ticket = this.#tickets.read(sid)
      return { id: ticket.id, ticket }
    } catch (error) {
      if (!this.#options.rawSid) throw error
      return { id: sid }
    }
  }

  async #cookieID(request: IncomingMessage | null | undefined): Promise<string> {
    if (request && this.#options.reader) return this.#options.reader(request)
    throw new SessionError('ERR_SESSION_COOKIE_MISSING', 'there is no request to read a session cookie from')
  }
}

/** zappajs keeps sessions of mere sockets (`cookie.__io`) in the store of the sessions. */
function isOfZappa(cookie: object): boolean {
  return '__io' in cookie
}

function refused(why: string): SessionError {
  return new SessionError('ERR_SESSION_TICKET', `the __sid is not accepted: ${why}`)
}
