/** A MemoryStore that counts what is called on it. */
import session from 'express-session'

export class CountingStore extends session.MemoryStore {
  readonly calls = { get: 0, set: 0, touch: 0, destroy: 0 }

  override get(...args: Parameters<session.MemoryStore['get']>): void {
    this.calls.get++
    super.get(...args)
  }

  override set(...args: Parameters<session.MemoryStore['set']>): void {
    this.calls.set++
    super.set(...args)
  }

  override touch(...args: Parameters<session.MemoryStore['touch']>): void {
    this.calls.touch++
    super.touch(...args)
  }

  override destroy(...args: Parameters<session.MemoryStore['destroy']>): void {
    this.calls.destroy++
    super.destroy(...args)
  }

  /** Forgets what was counted so far. */
  reset(): void {
    Object.assign(this.calls, { get: 0, set: 0, touch: 0, destroy: 0 })
  }
}
