/**
 * Sessions that are being read to become live: who asks for one meanwhile shares the read, and what happens to it
 * meanwhile is not missed.
 */
import { LiveSession } from './live-session'
import type { SessionRecord } from './store'
import { type Home, notFound } from './stored-session'

interface FirstRead {
  live: Promise<LiveSession>
  isOver: boolean
  newer: SessionRecord | undefined
}

export class FirstReads {
  readonly #home: Home
  readonly #reads = new Map<string, FirstRead>()

  constructor(home: Home) {
    this.#home = home
  }

  has(id: string): boolean {
    return this.#reads.has(id)
  }

  /** @throws SessionError (rejects) `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT` */
  open(id: string): Promise<LiveSession> {
    return this.#reads.get(id)?.live ?? this.#begin(id)
  }

  /** Somebody wrote this session meanwhile. */
  receive(id: string, record: SessionRecord): void {
    const read = this.#reads.get(id)
    if (read) read.newer = record
  }

  /** It ended meanwhile. */
  end(id: string): void {
    const read = this.#reads.get(id)
    if (read) read.isOver = true
  }

  #begin(id: string): Promise<LiveSession> {
    const live = this.#home.store.get(id).then(
      (record) => {
        this.#reads.delete(id)
        if (!record || read.isOver) throw notFound()
        return new LiveSession(id, read.newer ?? record, this.#home)
      },
      (error) => {
        this.#reads.delete(id)
        throw error
      },
    )
    const read: FirstRead = { live, isOver: false, newer: undefined }
    this.#reads.set(id, read)
    return live
  }
}
