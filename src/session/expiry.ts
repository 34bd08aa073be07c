/**
 * When a session ends by itself, and when an event is to extend it.
 */
import { expiryOf, type SessionRecord } from '../store/record'
import { now, precision } from './clock'

/** A touch is written at most this often, in ms, and at most ten times per maxAge. */
const longestInterval = 60_000

type Cookie = SessionRecord['cookie']

export class Expiry {
  /** When to ask the store whether it is over, in ms since 1970: cookies and stores use the wall clock. */
  #expiresAt = Number.POSITIVE_INFINITY
  #touchInterval = longestInterval
  /** When it was extended last, on the monotonic clock. */
  #touchedAt: number

  /** @param since when the store was asked for the cookie, on the monotonic clock */
  constructor(cookie: Cookie, since: number) {
    const left = (expiryOf(cookie) ?? Date.now()) - Date.now()
    this.#touchedAt = since + left - (cookie.originalMaxAge ?? 0)
    this.reckon(cookie)
  }

  /**
   * Takes the cookie from the store, not the one that handlers may change. A session that lives although its cookie has
   * expired was touched by another process, in a store that leaves the cookie as it is then: ask again soon.
   */
  reckon(cookie: Cookie): void {
    this.#touchInterval = Math.min(longestInterval, (cookie.originalMaxAge ?? Number.POSITIVE_INFINITY) / 10)
    const expires = expiryOf(cookie) ?? Number.POSITIVE_INFINITY
    this.#expiresAt = expires > Date.now() ? expires : Date.now() + Math.max(precision, this.#touchInterval)
  }

  get isOver(): boolean {
    return this.#expiresAt <= Date.now()
  }

  /** Whether a client event now should be written as a touch. */
  get wantsTouch(): boolean {
    return now() - this.#touchedAt >= this.#touchInterval
  }

  touched(): void {
    this.#touchedAt = now()
  }
}
