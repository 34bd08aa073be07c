/** What `authorize` says of one session and one handshake: asked again when the session has changed; the newest answer counts. */
import type { SessionError } from '../errors'
import type { LiveSession } from '../session/live-session'
import { isThenable } from '../store/record'

/** Yes, or the refusal. */
export type Verdict = true | SessionError

export class Permission {
  readonly live: LiveSession
  /** Set once, when the newest answer is no. */
  refusal: SessionError | undefined
  whenRefused: ((refusal: SessionError) => void) | undefined

  readonly #ask: () => Verdict | Promise<Verdict>
  /** The session that was asked about last, as JSON. */
  #asked: string | undefined
  #isGranted = false
  #asking: Promise<void> | undefined

  constructor(live: LiveSession, ask: () => Verdict | Promise<Verdict>) {
    this.live = live
    this.#ask = ask
  }

  /** Whether the answer is yes, for the session as it is now. */
  get isCurrent(): boolean {
    return this.#isGranted && this.#asked === this.#record
  }

  /** The session in the store, as far as is known, as JSON. */
  get #record(): string {
    return this.live.stored.shared.copy.base
  }

  /**
   * Asks, unless the answer for the session as it is now is known; and again where it was another one by the answer.
   * Until then the session is kept, so that it hears of changes, and is read again if it was disturbed.
   * @throws SessionError (rejects) `ERR_SESSION_FORBIDDEN`, and those of a read
   */
  async admit(): Promise<void> {
    const { live } = this
    live.use()
    try {
      for (let asking = this.renew(); asking; asking = this.renew()) {
        await asking
        if (live.stored.shared.isOutdated) await live.refresh()
      }
    } finally {
      live.unuse()
    }
    if (this.refusal) throw this.refusal
  }

  /** Asks if the session has changed since. @returns a promise only where an answer is awaited; never rejects */
  renew(): Promise<void> | undefined {
    const record = this.#record
    const isKnown = this.refusal !== undefined || (this.#asked !== undefined && isSame(this.#asked, record))
    this.#asked = record
    if (isKnown) return this.#asking
    this.#isGranted = false
    this.#asking = undefined
    const verdict = this.#ask()
    if (!isThenable(verdict)) return this.#settle(verdict)
    const asking: Promise<void> = verdict.then((answer) => {
      if (this.#asking !== asking) return this.#asking
      this.#asking = undefined
      return this.#settle(answer)
    })
    this.#asking = asking
    return asking
  }

  #settle(verdict: Verdict): undefined {
    if (verdict === true) this.#isGranted = true
    else {
      this.refusal = verdict
      this.whenRefused?.(verdict)
    }
  }
}

/** Whether two records differ in the cookie at most: every request and every touch extends that. */
function isSame(one: string, other: string): boolean {
  if (one === other) return true
  const [first, second] = [one, other].map((json) => JSON.stringify({ ...JSON.parse(json), cookie: undefined }))
  return first === second
}
