/**
 * The value of a session's cookie → the session id in it, as express-session signs it: `s:<id>.<signature>`. Bounded
 * before any HMAC. What the id stands for is the store's business.
 */
import type { KeyObject } from 'node:crypto'
import { unsign } from 'cookie-signature'
import { SessionError } from '../errors'

/** Whatever `crypto.createHmac` takes as a key, as in express-session. */
export type Secret = string | NodeJS.ArrayBufferView | KeyObject

/** Characters of one cookie: RFC 6265, section 6.1, asks browsers for 4096 bytes with name and attributes. */
const maxLength = 4_096
/** Of a signed value. */
const prefix = 's:'
/** How many genuine values are remembered at least, of twice as many at most. */
const fewestVerified = 500

/**
 * Verifies signed values, and remembers up to a thousand that were genuine: the signature is most of what it costs to find
 * a session that is live. They are found by their hash, so the time it takes tells nothing of how much of a forged one
 * is right.
 */
export class Verifier {
  readonly #secrets: readonly Secret[]
  /** Value → id. When these are enough they become the older ones, and those are forgotten. */
  #latest = new Map<string, string>()
  #older = new Map<string, string>()

  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets
  }

  /**
   * The session id in a signed value; every secret is tried, each comparison in constant time.
   * @throws SessionError `ERR_SESSION_SIGNATURE`
   */
  verify(value: string): string {
    const known = this.#latest.get(value)
    if (known !== undefined) return known
    const id = this.#older.get(value) ?? this.#idIn(value)
    if (this.#latest.size >= fewestVerified) {
      this.#older = this.#latest
      this.#latest = new Map()
    }
    this.#latest.set(value, id)
    return id
  }

  #idIn(value: string): string {
    if (!value.startsWith(prefix)) throw refused('not signed; express-session always signs it')
    const signed = value.slice(prefix.length)
    if (signed.lastIndexOf('.') > 0 && value.length <= maxLength) {
      for (const secret of this.#secrets) {
        const id = unsign(signed, secret)
        if (id !== false) return id
      }
    }
    const count = this.#secrets.length
    throw refused(
      `signed with none of the ${count} secret(s): it was changed, or \`secret\` is not the one that session() has`,
    )
  }
}

function refused(what: string): SessionError {
  return new SessionError('ERR_SESSION_SIGNATURE', `the session cookie is ${what}`)
}
