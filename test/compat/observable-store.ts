/** A MemoryStore that tells when it is asked and when it has written, and whose answers can be held back. */
import { EventEmitter, once } from 'node:events'
import { CountingStore } from '../support/counting-store.js'

export class ObservableStore extends CountingStore {
  readonly #events = new EventEmitter()
  #held: Promise<void> | undefined

  /** The next time that it is asked, or has written. */
  async next(method: 'get' | 'set'): Promise<void> {
    await once(this.#events, method)
  }

  /** @returns lets the answers go */
  holdReads(): () => void {
    let answer = () => {}
    this.#held = new Promise((resolve) => {
      answer = resolve
    })
    return answer
  }

  override get(...args: Parameters<CountingStore['get']>): void {
    this.#events.emit('get')
    if (this.#held) this.#held.then(() => super.get(...args))
    else super.get(...args)
  }

  override set(...args: Parameters<CountingStore['set']>): void {
    super.set(...args)
    this.#events.emit('set')
  }
}
