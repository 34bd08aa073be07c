/**
 * Sessions that are being read to become live: who asks for one meanwhile shares the read, and what happens to it
 * meanwhile is not missed.
 */
import { LiveSession } from './live-session'
import type { SessionRecord } from './store'
import { type EndReason, type Home, notFound } from './stored-session'

class FirstRead {
  opened: Promise<LiveSession> | undefined
  /** Once it is read. */
  live: LiveSession | undefined
  isOver = false
  newer: SessionRecord | undefined
  isOutdated = false
}

export class FirstReads {
  readonly #home: Home
  readonly #reads = new Map<string, FirstRead>()
  /** Reads that have finished in this turn. */
  readonly #lingering: string[] = []

  constructor(home: Home) {
    this.#home = home
  }

  has(id: string): boolean {
    return this.#reads.has(id)
  }

  /** @throws SessionError (rejects) `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT` */
  open(id: string): Promise<LiveSession> {
    return this.#reads.get(id)?.opened ?? this.#begin(id)
  }

  /** The session that was just read, and that nobody may hold yet. */
  justRead(id: string): LiveSession | undefined {
    return this.#reads.get(id)?.live
  }

  /** Somebody wrote this session while it is read: this, or it is not known what. */
  receive(id: string, record: SessionRecord | undefined): void {
    const read = this.#reads.get(id)
    if (!read) return
    read.newer = record ?? read.newer
    read.isOutdated ||= !record
  }

  /** It ended. */
  end(id: string, reason: EndReason): void {
    const read = this.#reads.get(id)
    if (!read) return
    read.isOver = true
    if (read.live) read.live.ended = reason
  }

  #begin(id: string): Promise<LiveSession> {
    const read = new FirstRead()
    this.#reads.set(id, read)
    read.opened = this.#read(id, read)
    return read.opened
  }

  async #read(id: string, read: FirstRead): Promise<LiveSession> {
    try {
      const record = await this.#home.store.get(id)
      if (!record || read.isOver) throw notFound()
      read.live = new LiveSession(id, read.newer ?? record, this.#home)
      if (read.isOutdated) read.live.outdate()
      this.#linger(id)
      return read.live
    } catch (error) {
      this.#reads.delete(id) // At once: who asks again, be it in this turn, is to be told anew.
      throw error
    }
  }

  /**
   * Keeps a read until the end of this turn, so that whoever awaited it can hold the session. Then its fields are cleared,
   * for the reason in `Deadlines#end`.
   */
  #linger(id: string): void {
    if (this.#lingering.push(id) > 1) return
    setImmediate(() => {
      for (const id of this.#lingering.splice(0)) {
        const read = this.#reads.get(id)
        this.#reads.delete(id)
        if (read) read.opened = read.live = read.newer = undefined
      }
    })
  }
}
