/**
 * The live sessions of one store instance: one per id, as long as a connection holds it. Keeps the order of work per id,
 * shares reads, hears of what others do on the store, and ends what is over. One registry per store, however many
 * `HandshakeSessions` use it: two would lose each other's writes.
 */
import { EventEmitter } from 'node:events'
import { atomicOf, type RedisLike } from './atomic'
import { FirstReads } from './first-reads'
import { Graves } from './graves'
import { HttpSaves } from './http-saves'
import { Lanes } from './lanes'
import { Lifetime } from './lifetime'
import type { Holder, LiveSession } from './live-session'
import type { Stage } from './options'
import { roomOf } from './room'
import { SessionIndex } from './session-index'
import { type SessionRecord, SessionStore, type StoreLike } from './store'
import { observeStore, type StoreListener } from './store-events'
import { type EndReason, type Home, notFound } from './stored-session'
import { type Turn, Turns } from './turns'

/** `sessionID` ended, for `reason`. */
export interface SessionEnd {
  sessionID: string
  reason: EndReason
}

interface RegistryEvents {
  end: [SessionEnd]
  unheard: [unknown, Stage]
  /** This session was written by this process. */
  changed: [string]
  /** A session, by its room, was ended by this process. */
  ending: [string, EndReason]
}

/** What those who join a registry want of it; of several the longest `timeout`, the shortest `recheck`, the first `redis`, and any `mergeHttpSaves`. */
export interface RegistryOptions {
  timeout?: number
  recheck?: number
  mergeHttpSaves?: boolean
  redis?: RedisLike | undefined
}

const registries = new WeakMap<StoreLike, SessionRegistry>()

export class SessionRegistry extends EventEmitter<RegistryEvents> implements Home, StoreListener {
  /** The registry of this store instance, for one more user; each calls `leave` when done. */
  static join(store: StoreLike, options: RegistryOptions = {}): SessionRegistry {
    const registry = registries.get(store) ?? new SessionRegistry(store, options.redis)
    registries.set(store, registry)
    registry.#join(options)
    return registry
  }

  readonly store: SessionStore

  readonly #target: StoreLike
  readonly #restore: () => void
  readonly #live = new SessionIndex()
  readonly #firstReads = new FirstReads(this)
  readonly #lanes = new Lanes()
  readonly #turns = new Turns()
  readonly #lifetime = new Lifetime(this.#live, (error) => this.unheard(error, 'refresh'))
  readonly #graves = new Graves()
  readonly #httpSaves = new HttpSaves(this, this.#graves)
  #users = 0

  private constructor(store: StoreLike, redis: RedisLike | undefined) {
    super()
    this.setMaxListeners(0)
    const atomic = atomicOf(store, redis)
    const { methods, restore } = observeStore(store, this)
    this.#target = store
    this.#restore = restore
    this.store = new SessionStore(methods, atomic)
  }

  #join({ timeout = 10_000, recheck = 60_000, mergeHttpSaves = false }: RegistryOptions): void {
    const first = this.#users++ === 0
    this.store.timeout = first ? timeout : Math.max(this.store.timeout, timeout)
    this.#lanes.patience = this.store.timeout
    this.#turns.patience = this.store.timeout / 10
    this.#lifetime.recheck = first ? recheck : Math.min(this.#lifetime.recheck, recheck)
    this.#httpSaves.merge ||= mergeHttpSaves
  }

  /** The last user's leave gives the store back as it was. */
  leave(): void {
    if (--this.#users > 0) return
    this.#restore()
    this.#lifetime.stop()
    this.#live.clear()
    registries.delete(this.#target)
  }

  /** How many sessions are held. */
  get size(): number {
    return this.#live.size
  }

  /**
   * The live session of this id, read from the store unless it is live already, and was read within `freshFor` ms;
   * callers at the same time share a read.
   * @returns a promise only where the store is asked
   * @throws SessionError (or rejects) `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT`
   */
  open(id: string, freshFor = Number.POSITIVE_INFINITY): LiveSession | Promise<LiveSession> {
    const live = this.#live.get(id)
    if (live) return live.isStale(freshFor) ? this.during(live, () => live.refresh()).then(() => live) : live
    if (this.isOver(id)) throw notFound()
    return this.#firstReads.open(id)
  }

  /**
   * Keeps the session live until `release` with the session that this returns; the holder is closed if it ends.
   * @throws SessionError `ERR_SESSION_NOT_FOUND` if it ended meanwhile
   */
  hold(opened: LiveSession, holder: Holder): LiveSession {
    const live = this.#live.get(opened.id) ?? opened
    if (live.ended || this.isOver(live.id)) throw notFound()
    if (live.holders.length === 0) this.#live.add(live)
    this.#lifetime.start()
    live.addHolder(holder)
    return live
  }

  /** Keeps the session live while this is done, and for what follows in the same turn: what happens to it is not missed. */
  async during<T>(live: LiveSession, work: () => Promise<T>): Promise<T> {
    const visitor: Holder = { close() {} }
    const held = this.hold(live, visitor)
    try {
      return await work()
    } finally {
      setImmediate(() => this.release(held, visitor))
    }
  }

  release(live: LiveSession, holder: Holder): void {
    live.removeHolder(holder)
    if (live.holders.length === 0) this.#live.delete(live)
  }

  /** Runs `work` after all other work on this id, failed or not. */
  exclusive<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.#lanes.run(id, async () => {
      if (this.isOver(id)) throw notFound()
      return work()
    })
  }

  inTurn<T>(id: string, work: (turn: Turn) => Promise<T>): Promise<T> {
    return this.#turns.take(id, work)
  }

  makeWay(id: string): Promise<void> {
    return this.#turns.makeWay(id)
  }

  isOver(id: string): boolean {
    return this.#graves.has(id)
  }

  /** The session is being destroyed: from now on it is over, and nobody may write or open it again. */
  end(id: string, reason: EndReason, answered?: Promise<unknown>): void {
    this.#graves.destroying(id)
    this.#close(id, reason, answered)
  }

  /** The store has destroyed it: the other nodes are told, `answered` awaited. */
  ended(id: string, reason: EndReason, answered?: Promise<unknown>): void {
    this.#graves.destroyed(id)
    whenAnswered(answered, () => this.emit('ending', roomOf(id), reason))
  }

  /** The store no longer has it. A request may still extend one that expired, but not one that was destroyed. */
  gone(id: string, reason: EndReason): void {
    if (reason !== 'expired') this.#graves.bury(roomOf(id))
    this.#close(id, reason)
  }

  /** Another node ended this session. */
  heardEnded(room: string, reason: EndReason): void {
    this.#graves.bury(room)
    const live = this.#live.inRoom(room)
    if (live) this.#close(live.id, reason)
  }

  /** Another node wrote this session. */
  heardChanged(room: string): void {
    const live = this.#live.inRoom(room)
    if (!live) return
    live.outdate()
    live.refresh().catch((error) => live.ended || this.unheard(error, 'refresh'))
  }

  /** The store could not destroy it, so it lives on; clients that come back are let in again. */
  survived(id: string): void {
    this.#graves.survived(id)
  }

  /** The session is over: if anybody holds it, tells, then closes the holders, `answered` awaited. */
  #close(id: string, reason: EndReason, answered?: Promise<unknown>): void {
    this.#firstReads.end(id, reason)
    const live = this.#live.get(id)
    if (!live) return
    this.#live.delete(live)
    live.ended = reason
    this.emit('end', { sessionID: id, reason })
    whenAnswered(answered, () => {
      for (const holder of [...live.holders]) holder.close()
    })
  }

  wrote(id: string, json: string | undefined): void {
    if (this.wants(id)) this.#receive(id, json && JSON.parse(json))
    this.emit('changed', id)
  }

  unheard(error: unknown, stage: Stage): void {
    this.emit('unheard', error, stage)
  }

  wants(id: string): boolean {
    return this.#live.get(id) !== undefined || this.#firstReads.has(id)
  }

  writing(id: string): () => void {
    const done = this.#turns.otherBegins(id)
    return () => {
      if (!done()) this.#receive(id, undefined)
    }
  }

  saved(id: string, record: SessionRecord | undefined): void {
    this.#receive(id, record)
    this.#undoIfOver(id)
    this.emit('changed', id)
  }

  touched(id: string, cookie: SessionRecord['cookie'] | undefined): void {
    this.#tell(id, (live) => (cookie ? live.extend(cookie) : live.outdate()))
    this.#undoIfOver(id)
  }

  #receive(id: string, record: SessionRecord | undefined): void {
    this.#firstReads.receive(id, record)
    this.#tell(id, (live) => (record ? live.receive(record) : live.outdate()))
  }

  /** It was destroyed while it was being written, and the write may have come last. */
  #undoIfOver(id: string): void {
    if (!this.isOver(id)) return
    const undone = this.store.destroy(id).then(() => this.#graves.bury(roomOf(id)))
    undone.catch((error) => this.unheard(error, 'save'))
  }

  /** What handlers put into the session may be beyond JSON: then it is their events that fail, not the writer. */
  #tell(id: string, news: (live: LiveSession) => void): void {
    const live = this.#live.get(id) ?? this.#firstReads.justRead(id)
    try {
      if (live) news(live)
    } catch (error) {
      live?.outdate()
      this.unheard(error, 'refresh')
    }
  }

  inflated(session: object): void {
    this.#httpSaves.inflated(session)
  }

  saving(id: string, session: object, method: 'set' | 'touch'): Promise<void> | undefined {
    return this.#httpSaves.saving(id, session, method)
  }
}

/** When the response is out, or at once. */
function whenAnswered(answered: Promise<unknown> | undefined, work: () => void): void {
  if (answered) answered.then(work)
  else work()
}
