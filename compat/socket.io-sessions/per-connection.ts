/**
 * The mode without `per_message`: one unit of work from connect to disconnect, `sconnection(client, session)`. The session is
 * the live one; what was changed in it is written once, when the listeners of `disconnect` are done.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Holder, LiveSession } from '../../src/internals'
import { announce, type Client, callListeners, type Enabled, fail } from './old-events'

/** Milliseconds that listeners may take before the session is saved without them. */
const patience = 10_000

export class PerConnection implements Holder {
  readonly #client: Client
  readonly #enabled: Enabled
  #live: LiveSession | undefined
  /** Handshakes, and the end, one after the other. */
  #work = Promise.resolve()
  /** The listeners of `sconnection` and `disconnect` that are still at it. */
  #listeners = Promise.resolve()

  constructor(client: Client, enabled: Enabled) {
    this.#client = client
    this.#enabled = enabled
    client.once('disconnecting', () => this.#disconnecting())
  }

  handshake(sid: unknown): void {
    this.#work = this.#work.then(() => this.#begin(sid)).catch((error) => fail(this.#client, this.#enabled, error))
  }

  /** What a client sends right after its handshake waits for `sconnection`, whose listeners are to hear it. */
  admit(next: () => void): void {
    this.#work.then(next)
  }

  /** The session is over: the app's listeners still have it, so the connection ends with it. */
  close(): void {
    announce(this.#enabled, 'sinvalid', this.#client)
    this.#client.conn.close()
  }

  async #begin(sid: unknown): Promise<void> {
    const { credentials } = this.#enabled
    const opened = await credentials.open(sid, this.#client.request)
    if (this.#live?.id === opened.id) return
    const hadAnother = this.#live !== undefined
    await this.#commit()
    if (hadAnother) await opened.refresh() // That may have taken long.
    if (!this.#client.connected) return
    this.#live = opened.hold(this)
    this.#listeners = announce(this.#enabled, 'sconnection', this.#client, this.#live.session)
  }

  /** Takes over the listeners of `disconnect`, which is about to be emitted: the save waits for them and their promises. */
  #disconnecting(): void {
    const client = this.#client
    if (!this.#live) return
    const listeners = client.rawListeners('disconnect')
    client.removeAllListeners('disconnect')
    client.once('disconnect', (...args: unknown[]) => {
      const left = callListeners(client, listeners, args).catch(this.#enabled.tell)
      this.#listeners = this.#listeners.then(() => left)
      this.#work = this.#work.then(() => this.#commit())
    })
  }

  /** Writes what was changed, if the session still exists, and lets go of it. */
  async #commit(): Promise<void> {
    const live = this.#live
    if (!live) return
    await Promise.race([this.#listeners, sleep(patience, undefined, { ref: false })])
    if (!live.ended) await live.save().catch(this.#enabled.tell)
    this.#live = undefined
    live.release(this)
  }
}
