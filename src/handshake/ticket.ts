/**
 * Single-use tickets for clients that cannot send the cookie: native apps, pages of another site, WebTransport. A ticket
 * is the session id and an expiry, encrypted and authenticated (AES-256-GCM) with a key derived from the secret, so it
 * tells nobody the id. That it was used is written into the session, so one store makes it single-use on every node.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { attempt, SessionError } from '../errors'
import type { Secret } from './cookie'

/** How long a ticket is good for, in ms. */
const lifetime = 60_000
/** How many of one session are remembered as used; nobody needs more within their lifetime. */
const mostUsed = 100
/** Characters of a ticket that are still looked at. */
const maxLength = 1_024
const noSecret =
  'secret: tickets need one that all nodes have, which a session middleware does not tell: handshakeSession(sessionMiddleware, { secret })'
const ivLength = 12
const tagLength = 16

/** What a ticket says. */
export interface Ticket {
  id: string
  /** In ms since 1970. */
  expires: number
  /** Different for each ticket. */
  nonce: string
}

/** What a session knows of its tickets that were used: until when each would have been good. */
interface TicketHolder {
  __tickets?: Record<string, number>
}

export class Tickets {
  readonly #keys: readonly Buffer[]
  /** Used ones, and when they expire: also when a slow HTTP request overwrites what the session knows of it. */
  readonly #used = new Map<string, number>()

  /** The first secret encrypts, all decrypt; without any there are no tickets. */
  constructor(secrets: readonly Secret[]) {
    this.#keys = secrets.map((secret) => createHmac('sha256', secret).update('handshake-session ticket').digest())
  }

  /** A ticket for this session, good for 60 seconds and one handshake. @throws SessionError `ERR_SESSION_OPTIONS` without a secret */
  issue(id: string): string {
    const [key] = this.#keys
    if (!key) throw new SessionError('ERR_SESSION_OPTIONS', noSecret)
    const iv = randomBytes(ivLength)
    const cipher = createCipheriv('aes-256-gcm', key, iv)
    const content = cipher.update(JSON.stringify([id, Date.now() + lifetime]))
    return Buffer.concat([iv, content, cipher.final(), cipher.getAuthTag()]).toString('base64url')
  }

  /** Reads a ticket, and leaves it unused. @throws SessionError `ERR_SESSION_TICKET` */
  read(ticket: unknown): Ticket {
    const read = this.#decrypt(ticket)
    if (read.expires <= Date.now()) throw refused(`it is older than ${lifetime / 1000} s`)
    return read
  }

  /** Whether it was issued for this session, now or long ago. @throws SessionError `ERR_SESSION_TICKET` if it was not issued */
  isFor(id: string, ticket: unknown): boolean {
    return this.#decrypt(ticket).id === id
  }

  #decrypt(ticket: unknown): Ticket {
    if (typeof ticket !== 'string' || ticket.length > maxLength) throw refused('it is not a string of a ticket')
    const bytes = Buffer.from(ticket, 'base64url')
    for (const key of this.#keys) {
      const content = decrypt(bytes, key)
      if (content === undefined) continue
      const [id, expires] = JSON.parse(content) as [string, number]
      return { id, expires, nonce: bytes.subarray(0, ivLength).toString('base64url') }
    }
    throw refused(this.#keys.length === 0 ? noSecret : 'it was changed, or issued with another secret')
  }

  /** @throws SessionError `ERR_SESSION_TICKET` if it was used, as far as this process or its session knows */
  assertUnused({ nonce }: Ticket, session: object): void {
    const { __tickets: used = {} } = session as TicketHolder
    if (this.#used.has(nonce) || Object.hasOwn(used, nonce)) throw refused('it was used before')
  }

  /**
   * Marks a ticket of this session as used; it is not, if the store fails.
   * @throws SessionError `ERR_SESSION_TICKET` if it was used already, and those of `update`
   */
  async redeem({ nonce, expires }: Ticket, live: { update(change: (session: object) => void): Promise<void> }) {
    for (const [used, until] of this.#used) if (until <= Date.now()) this.#used.delete(used)
    if (this.#used.has(nonce)) throw refused('it was used before')
    this.#used.set(nonce, expires)
    const marked = live.update((session) => {
      const holder = session as TicketHolder
      const used = Object.entries(holder.__tickets ?? {}).filter(([, until]) => until > Date.now())
      if (used.some(([other]) => other === nonce)) throw refused('it was used before')
      if (used.length >= mostUsed) throw refused(`${mostUsed} of this session were used within ${lifetime / 1000} s`)
      holder.__tickets = Object.fromEntries([...used, [nonce, expires]])
    })
    await marked.catch((error) => {
      if (error.code !== 'ERR_SESSION_TICKET') this.#used.delete(nonce)
      throw error
    })
  }
}

/** The content, or undefined if it was not encrypted with this key. */
function decrypt(bytes: Buffer, key: Buffer): string | undefined {
  if (bytes.length <= ivLength + tagLength) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivLength))
  decipher.setAuthTag(bytes.subarray(-tagLength))
  const sealed = bytes.subarray(ivLength, -tagLength)
  return attempt(() => Buffer.concat([decipher.update(sealed), decipher.final()]).toString())
}

function refused(why: string): SessionError {
  return new SessionError('ERR_SESSION_TICKET', `the ticket is not accepted: ${why}`)
}
