/**
 * The sessions of one store instance, and the news of other nodes. There is one registry per store, however many
 * `HandshakeSessions` use it: two would lose each other's writes.
 */
import { EventEmitter } from 'node:events'
import { notFound, type Stage } from '../errors'
import { atomicOf } from '../store/compare-and-set'
import { Deadlines } from '../store/deadlines'
import { observeStore } from '../store/observer'
import type { StoreLike } from '../store/record'
import type { RedisLike } from '../store/redis'
import { SessionStore } from '../store/session-store'
import { Endings, type EndReason, type Home } from './endings'
import { HttpWrites } from './http-writes'
import { LiveSession } from './live-session'
import { AllPeers } from './peers'
import { SessionMap } from './session-map'

/** `sessionID` ended, for `reason`. */
export interface SessionEnd {
  sessionID: string
  reason: EndReason
}

interface RegistryEvents {
  end: [SessionEnd]
  /** What is known of a held session may have changed. */
  changed: [LiveSession]
  unheard: [unknown, Stage]
}

/**
 * What a user of the registry wants. Of several users the longest `timeout`, the shortest `freshFor` and `recheck`, the first
 * `redis` and any `mergeHttpSaves` count.
 */
export interface RegistryOptions {
  timeout?: number
  freshFor?: number
  recheck?: number
  mergeHttpSaves?: boolean
  redis?: RedisLike | undefined
}

const registries = new WeakMap<StoreLike, SessionRegistry>()

export class SessionRegistry extends EventEmitter<RegistryEvents> implements Home<LiveSession> {
  /** The registry of this store instance, for one more user; each calls `leave` when done. */
  static join(store: StoreLike, options: RegistryOptions = {}): SessionRegistry {
    const registry = registries.get(store) ?? new SessionRegistry(store, options.redis)
    registries.set(store, registry)
    registry.#join(options)
    return registry
  }

  readonly store: SessionStore
  readonly endings: Endings
  readonly patience = new Deadlines()
  readonly peers = new AllPeers()
  readonly sessions = new SessionMap(this.peers, () => this.endings.retry())

  readonly #target: StoreLike
  readonly #restore: () => void
  readonly #httpWrites: HttpWrites
  #users = 0

  private constructor(target: StoreLike, redis: RedisLike | undefined) {
    super()
    this.setMaxListeners(0)
    this.#target = target
    this.#httpWrites = new HttpWrites(this)
    const atomic = atomicOf(target, redis)
    const { methods, restore } = observeStore(target, this.#httpWrites)
    this.#restore = restore
    this.store = new SessionStore(methods, atomic)
    this.endings = new Endings(this)
  }

  #join({ timeout = 10_000, freshFor = 5_000, recheck = 60_000, mergeHttpSaves = false }: RegistryOptions): void {
    this.#users++
    this.store.timeout = Math.max(this.store.timeout, timeout)
    this.sessions.freshFor = Math.min(this.sessions.freshFor, freshFor)
    this.sessions.recheck = Math.min(this.sessions.recheck, recheck)
    this.#httpWrites.merge ||= mergeHttpSaves
  }

  /** When the last user has left, the store is as it was before. */
  leave(): void {
    if (--this.#users > 0) return
    this.#restore()
    this.sessions.close()
    registries.delete(this.#target)
  }

  /** The object of this id. It is dropped at the end of the turn unless somebody uses it by then. */
  at(id: string): LiveSession {
    return this.sessions.get(id) ?? this.sessions.attach(new LiveSession(id, this))
  }

  /**
   * The session of this id; read from the store, unless a read of at most `freshFor` ms ago is known.
   * @returns a promise only where the store is asked
   * @throws SessionError (or rejects) `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT`
   */
  open(id: string, freshFor = Number.POSITIVE_INFINITY): LiveSession | Promise<LiveSession> {
    if (this.endings.has(id)) throw notFound()
    const live = this.at(id)
    return live.isCurrent(freshFor) ? live : live.refresh().then(() => live)
  }

  /** A write of this process was answered. The object that began it may have been dropped since. */
  wrote(live: LiveSession): void {
    if (this.endings.has(live.id)) return
    const here = this.at(live.id)
    if (here !== live) here.stored.writes.wroteElsewhere()
    this.peers.changed(live.room)
    if (here.stored.shared.isOutdated && here.isHeld && this.listenerCount('changed') > 0) here.refreshUnheard()
    else this.learnt(here)
  }

  learnt(live: LiveSession): void {
    if (live.isHeld) this.emit('changed', live)
  }

  /** Another node wrote this session. */
  heardChanged(room: string): void {
    const live = this.sessions.inRoom(room)
    live?.stored.observations.disturb()
    if (live?.isHeld) live.refreshUnheard()
    this.endings.heardChanged(room)
  }

  ended(live: LiveSession, reason: EndReason): void {
    if (live.isHeld) this.emit('end', { sessionID: live.id, reason })
  }

  unheard(error: unknown, stage: Stage): void {
    this.emit('unheard', error, stage)
  }
}
