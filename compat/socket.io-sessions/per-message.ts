/**
 * The mode `per_message`: each message is a unit of work of its own, `smessage(message, session)`. The session is read for
 * it, and what the listeners changed is written when they, and the promises they return, are done.
 */
import type { LiveSession } from '../../src/internals'
import { shownIn } from './credentials'
import { announce, type Client, callListeners, type Enabled, fail } from './old-events'

export class PerMessage {
  readonly #client: Client
  readonly #enabled: Enabled
  /** What the client showed last. */
  #sid: unknown
  #opened: Promise<LiveSession> | undefined

  constructor(client: Client, enabled: Enabled) {
    this.#client = client
    this.#enabled = enabled
    client.on('message', (message: unknown) => shownIn('message', message) || this.#message(message))
  }

  /** Only the first one is a `sconnection`; a later one of another session takes its place. */
  handshake(sid: unknown): void {
    const isFirst = this.#sid === undefined
    if (sid === this.#sid) return
    this.#sid = sid
    this.#opened = undefined
    this.#open().catch(() => {}) // Every message will find out, and tell.
    if (isFirst) announce(this.#enabled, 'sconnection', this.#client)
  }

  /** Nothing needs to wait: each message opens the session for itself. */
  admit(next: () => void): void {
    next()
  }

  #message(message: unknown): void {
    if (this.#sid === undefined) return
    this.#work(message).catch((error) => fail(this.#client, this.#enabled, error))
  }

  async #work(message: unknown): Promise<void> {
    const live = await this.#open()
    const client = this.#client
    await live.update((session) => callListeners(client, client.rawListeners('smessage'), [message, session]))
  }

  /** A failure is not remembered: the store may be back, or the session there, by the next message. */
  #open(): Promise<LiveSession> {
    this.#opened ??= this.#enabled.credentials.open(this.#sid, this.#client.request).catch((error) => {
      this.#opened = undefined
      throw error
    })
    return this.#opened
  }
}
