/** A MemoryStore that answers `get` late, with what was there when it was asked. */
import { CountingStore } from './counting-store.js'

export class SlowStore extends CountingStore {
  #slow: Promise<void> | undefined

  override get(id: string, callback: Parameters<CountingStore['get']>[1]): void {
    const slow = this.#slow
    this.#slow = undefined
    super.get(id, (...answer) => (slow ? void slow.then(() => callback(...answer)) : callback(...answer)))
  }

  /** The next answer waits until the returned function is called. */
  slowDown(): () => void {
    let release = () => {}
    this.#slow = new Promise<void>((resolve) => {
      release = resolve
    })
    return release
  }
}
