/**
 * The live sessions of one store instance: a map from session id to the one object that knows all about it, and the
 * news of other nodes. One registry per store, however many `HandshakeSessions` use it: two would lose each other's writes.
 */
import { EventEmitter } from 'node:events'
import { notFound, type Stage } from '../errors'
import { atomicOf } from '../store/compare-and-set'
import { Deadlines } from '../store/deadlines'
import { observeStore } from '../store/observer'
import type { StoreLike } from '../store/record'
import type { RedisLike } from '../store/redis'
import { SessionStore } from '../store/session-store'
import { Clock, now, precision } from './clock'
import { Endings, type EndReason, recent } from './endings'
import { HttpWrites } from './http-writes'
import { type Home, LiveSession } from './live-session'

/** `sessionID` ended, for `reason`. */
export interface SessionEnd {
  sessionID: string
  reason: EndReason
}

/** Who tells other nodes. */
export interface Peers {
  /** Whether there are other nodes that could be told. */
  readonly areReachable: boolean
  changed(room: string): void
  ended(room: string, reason: EndReason): void
}

interface RegistryEvents {
  end: [SessionEnd]
  unheard: [unknown, Stage]
}

/** What those who join a registry want of it; of several the longest `timeout`, the shortest `recheck`, the first `redis`, and any `mergeHttpSaves`. */
export interface RegistryOptions {
  timeout?: number
  recheck?: number
  mergeHttpSaves?: boolean
  redis?: RedisLike | undefined
}

const registries = new WeakMap<StoreLike, SessionRegistry>()

export class SessionRegistry extends EventEmitter<RegistryEvents> implements Home {
  /** The registry of this store instance, for one more user; each calls `leave` when done. */
  static join(store: StoreLike, options: RegistryOptions = {}): SessionRegistry {
    const registry = registries.get(store) ?? new SessionRegistry(store, options.redis)
    registries.set(store, registry)
    registry.#join(options)
    return registry
  }

  readonly store: SessionStore
  readonly endings: Endings
  readonly clocks = { timeout: 0, patience: new Deadlines(), limits: new Deadlines() }
  readonly peers = new Set<Peers>()

  readonly #target: StoreLike
  readonly #restore: () => void
  readonly #httpWrites: HttpWrites
  readonly #sessions = new Map<string, LiveSession>()
  /** By the name that other nodes give them. Made when one does so for the first time: most apps have no other node. */
  #byRoom: Map<string, LiveSession> | undefined
  /** Those that nobody uses any more; dropped at the end of the turn. */
  readonly #idle: LiveSession[] = []
  readonly #clock = new Clock(() => this.#tick())
  #recheck = Number.POSITIVE_INFINITY
  #users = 0

  private constructor(store: StoreLike, redis: RedisLike | undefined) {
    super()
    this.setMaxListeners(0)
    this.#httpWrites = new HttpWrites(this)
    const atomic = atomicOf(store, redis)
    const { methods, restore } = observeStore(store, this.#httpWrites)
    this.#target = store
    this.#restore = restore
    this.store = new SessionStore(store, methods, atomic)
    this.endings = new Endings(this)
  }

  #join({ timeout = 10_000, recheck = 60_000, mergeHttpSaves = false }: RegistryOptions): void {
    this.#users++
    this.clocks.timeout = this.store.timeout = Math.max(this.clocks.timeout, timeout)
    this.#recheck = Math.min(this.#recheck, recheck)
    this.#httpWrites.merge ||= mergeHttpSaves
  }

  /** The last user's leave gives the store back as it was. */
  leave(): void {
    if (--this.#users > 0) return
    this.#restore()
    this.#clock.stop()
    this.#sessions.clear()
    this.#byRoom = undefined
    registries.delete(this.#target)
  }

  /** How many sessions something goes on for. */
  get size(): number {
    return this.#sessions.size
  }

  find(id: string): LiveSession | undefined {
    return this.#sessions.get(id)
  }

  /** The object of this id; it is dropped at the end of the turn unless somebody uses it by then. */
  at(id: string): LiveSession {
    return this.#sessions.get(id) ?? this.attach(new LiveSession(id, this))
  }

  /**
   * The session of this id, read from the store unless it is known, and that was asked for within `freshFor` ms.
   * @returns a promise only where the store is asked
   * @throws SessionError (or rejects) `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT`
   */
  open(id: string, freshFor = Number.POSITIVE_INFINITY): LiveSession | Promise<LiveSession> {
    if (this.endings.has(id)) throw notFound()
    const live = this.at(id)
    return live.isCurrent(freshFor) ? live : live.refresh().then(() => live)
  }

  /** An object may outlive its place here, with a `Session` that `load` gave: then nobody told it what happened meanwhile. */
  attach(live: LiveSession): LiveSession {
    const known = this.#sessions.get(live.id)
    if (known || live.ended || this.#users === 0) return known ?? live
    live.stored.observations.disturb()
    this.#sessions.set(live.id, live)
    this.#byRoom?.set(live.room, live)
    this.idle(live)
    this.startClock()
    return live
  }

  idle(live: LiveSession): void {
    if (this.#idle.push(live) > 1) return
    setImmediate(() => {
      for (const live of this.#idle.splice(0)) this.#dropIfIdle(live)
    })
  }

  wrote(live: LiveSession): void {
    const here = this.#sessions.get(live.id)
    if (here !== live) here?.stored.observations.disturb()
    if (live.isOver) return
    for (const peers of this.peers) if (peers.areReachable) peers.changed(live.room)
  }

  /** Another node wrote this session. */
  heardChanged(room: string): void {
    const live = this.inRoom(room)
    if (!live) return
    live.stored.observations.disturb()
    if (live.isHeld) this.#refresh(live)
  }

  /** Another node ended this session. */
  heardEnded(room: string, reason: EndReason): void {
    this.endings.heard(room, reason)
  }

  inRoom(room: string): LiveSession | undefined {
    this.#byRoom ??= new Map([...this.#sessions.values()].map((live) => [live.room, live]))
    return this.#byRoom.get(room)
  }

  ended(live: LiveSession, reason: EndReason): void {
    if (this.#sessions.get(live.id) === live) this.#drop(live)
    if (live.isHeld) this.emit('end', { sessionID: live.id, reason })
  }

  tellEnded(room: string, reason: EndReason): void {
    for (const peers of this.peers) peers.ended(room, reason)
  }

  unheard(error: unknown, stage: Stage): void {
    this.emit('unheard', error, stage)
  }

  startClock(): void {
    if (this.#users > 0) this.#clock.start(this.#recheck / 2)
  }

  #tick(): void {
    for (const live of this.#sessions.values()) {
      if (live.isIdle) this.#dropIfIdle(live)
      else if (live.isHeld && this.#isDue(live)) this.#refresh(live)
    }
    const isBusy = this.endings.retry()
    if (!isBusy && this.#sessions.size === 0) this.#clock.stop()
  }

  /** The store decides, also of one that has expired as far as we know: another process may have touched it. */
  #isDue({ stored: { askedAt, shared } }: LiveSession): boolean {
    const asked = now() - askedAt
    return shared.isExpired ? asked >= precision : asked >= this.#recheck && !shared.isWithin(this.#recheck)
  }

  #refresh(live: LiveSession): void {
    live.refresh().catch((error) => live.ended || this.unheard(error, 'refresh'))
  }

  #dropIfIdle(live: LiveSession): void {
    if (!live.isIdle || this.#sessions.get(live.id) !== live) return
    const isRecent = now() - live.wroteAt < recent && [...this.peers].some(({ areReachable }) => areReachable)
    if (isRecent) this.startClock()
    else this.#drop(live)
  }

  #drop(live: LiveSession): void {
    this.#sessions.delete(live.id)
    this.#byRoom?.delete(live.room)
  }
}
