/**
 * The live sessions of one store instance: one per id, as long as a connection holds it. Keeps the order of work per id,
 * shares reads, hears of what others do on the store, and ends what is over. One registry per store, however many
 * `HandshakeSessions` use it: two would lose each other's writes.
 */
import { EventEmitter } from 'node:events'
import { type EndReason, type Holder, type Home, type Lane, LiveSession, notFound } from './live-session'
import { type SessionRecord, SessionStore, type StoreLike } from './store'
import { observeStore, type StoreListener } from './store-events'

/** `sessionID` ended, for `reason`. */
export interface SessionEnd {
  sessionID: string
  reason: EndReason
}

interface RegistryEvents {
  end: [SessionEnd]
  unheard: [unknown]
}

/** A first read that is on its way, and what happened to the session meanwhile. */
interface Opening extends Lane {
  live: Promise<LiveSession>
  newer: SessionRecord | undefined
}

const registries = new WeakMap<StoreLike, SessionRegistry>()

export class SessionRegistry extends EventEmitter<RegistryEvents> implements Home, StoreListener {
  /** The registry of this store instance, for one more user; each calls `leave` when done. */
  static join(store: StoreLike, timeout: number): SessionRegistry {
    const registry = registries.get(store) ?? new SessionRegistry(store)
    registries.set(store, registry)
    registry.#users++
    registry.store.timeout = registry.#users === 1 ? timeout : Math.max(registry.store.timeout, timeout)
    return registry
  }

  readonly store: SessionStore

  readonly #target: StoreLike
  readonly #restore: () => void
  readonly #live = new Map<string, LiveSession>()
  readonly #opening = new Map<string, Opening>()
  readonly #lanes = new Map<string, Lane & { last: Promise<unknown> }>()
  readonly #held = new WeakMap<Holder, LiveSession>()
  #users = 0

  private constructor(store: StoreLike) {
    super()
    this.setMaxListeners(0)
    const { methods, restore } = observeStore(store, this)
    this.#target = store
    this.#restore = restore
    this.store = new SessionStore(store, methods)
  }

  /** The last user's leave gives the store back as it was. */
  leave(): void {
    if (--this.#users > 0) return
    this.#restore()
    registries.delete(this.#target)
  }

  /** How many sessions are held. */
  get size(): number {
    return this.#live.size
  }

  /**
   * The live session of this id, read from the store unless it is live already; callers at the same time share a read.
   * @throws SessionError `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT`
   */
  open(id: string): Promise<LiveSession> {
    const live = this.#live.get(id)
    if (live) return Promise.resolve(live)
    return this.#opening.get(id)?.live ?? this.#read(id)
  }

  /** Keeps the session live until the holder lets go; the holder is closed if the session ends. */
  hold(opened: LiveSession, holder: Holder): LiveSession {
    const live = this.#live.get(opened.id) ?? opened
    if (live.ended) throw notFound()
    this.#live.set(live.id, live)
    live.holders.add(holder)
    this.#held.set(holder, live)
    return live
  }

  release(holder: Holder): void {
    const live = this.#held.get(holder)
    if (!live) return
    this.#held.delete(holder)
    live.holders.delete(holder)
    if (live.holders.size === 0 && this.#live.get(live.id) === live) this.#live.delete(live.id)
  }

  /** The live session that this connection holds. */
  heldBy(holder: Holder): LiveSession | undefined {
    return this.#held.get(holder)
  }

  /** Runs `work` after all other work on this id, failed or not. */
  exclusive<T>(id: string, work: (lane: Lane) => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(id) ?? { ended: undefined, last: Promise.resolve() }
    const run = lane.last.then(() => work(lane))
    const last = run
      .catch(() => {})
      .then(() => {
        if (lane.last === last) this.#lanes.delete(id)
      })
    lane.last = last
    this.#lanes.set(id, lane)
    return run
  }

  /** The session is over: tells, then closes whoever holds it. */
  end(id: string, reason: EndReason): void {
    for (const work of [this.#lanes.get(id), this.#opening.get(id)]) if (work) work.ended = reason
    const live = this.#live.get(id)
    this.#live.delete(id)
    if (live) live.ended = reason
    this.emit('end', { sessionID: id, reason })
    for (const holder of live?.holders ?? []) holder.close()
  }

  wrote(id: string, json: string): void {
    if (this.wants(id)) this.saved(id, JSON.parse(json) as SessionRecord)
  }

  unheard(error: unknown): void {
    this.emit('unheard', error)
  }

  wants(id: string): boolean {
    return this.#live.has(id) || this.#opening.has(id)
  }

  saved(id: string, record: SessionRecord): void {
    const opening = this.#opening.get(id)
    if (opening) opening.newer = record
    this.#live.get(id)?.receive(record)
  }

  destroying(id: string, reason: 'destroyed' | 'regenerated'): void {
    this.end(id, reason)
  }

  #read(id: string): Promise<LiveSession> {
    const read = async () => {
      const record = await this.store.get(id)
      if (!record || opening.ended) throw notFound()
      return new LiveSession(id, opening.newer ?? record, this)
    }
    const live = Promise.resolve()
      .then(read)
      .finally(() => this.#opening.delete(id))
    const opening: Opening = { live, newer: undefined, ended: undefined }
    this.#opening.set(id, opening)
    return live
  }
}
