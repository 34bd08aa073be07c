/**
 * A map from session id to the one object that knows all about it, dropped when it is idle, or a while after its last
 * connection has left; and the clock that looks after them: it re-reads what nobody has asked about for a while, and
 * asks about those whose time is over. It runs only while there is something to do, and keeps no process alive.
 */
import { BoundedMap } from '../bounded-map'
import { now, precision } from './clock'
import { recent } from './endings'
import type { LiveSession } from './live-session'
import type { Peers } from './peers'

/** How many sessions linger. */
const mostLingering = 10_000

export class SessionMap {
  /** Milliseconds for which a session stays known after its last connection has left: its client may come back. */
  freshFor = Number.POSITIVE_INFINITY
  /** Milliseconds between re-reads of a session whose connections are idle. */
  recheck = Number.POSITIVE_INFINITY

  readonly #sessions = new Map<string, LiveSession>()
  /** By room, which is how other nodes name them. Made for the first news: most apps have no other node. */
  #byRoom: Map<string, LiveSession> | undefined
  /** Sessions that nobody uses any more, until the end of the turn. */
  readonly #idle: LiveSession[] = []
  /** When the last connection of a session left. Some are back since. */
  readonly #lingering = new BoundedMap<LiveSession, number>(mostLingering, (live) => this.#leave(live, now()))
  readonly #peers: Pick<Peers, 'areReachable'>
  readonly #retry: () => boolean
  #clock: NodeJS.Timeout | undefined
  #isClosed = false

  /**
   * @param peers other nodes: they may end a session before this process writes it, and tell that later
   * @param retry called now and then; returns whether there was anything to do
   */
  constructor(peers: Pick<Peers, 'areReachable'>, retry: () => boolean) {
    this.#peers = peers
    this.#retry = retry
  }

  get size(): number {
    return this.#sessions.size
  }

  get(id: string): LiveSession | undefined {
    return this.#sessions.get(id)
  }

  inRoom(room: string): LiveSession | undefined {
    this.#byRoom ??= new Map([...this.#sessions.values()].map((live) => [live.room, live]))
    return this.#byRoom.get(room)
  }

  /**
   * The current object of this id: this one, if there is no other. An object may outlive its place here, with a `Session`
   * from `load`; then it has missed what happened meanwhile.
   */
  attach(live: LiveSession): LiveSession {
    const known = this.#sessions.get(live.id)
    if (known || live.ended || this.#isClosed) return known ?? live
    if (live.stored.shared.isRead) live.stored.observations.disturb()
    this.#sessions.set(live.id, live)
    this.#byRoom?.set(live.room, live)
    this.idle(live)
    this.startClock()
    return live
  }

  /** Nobody uses it: at the end of the turn it is dropped or lingers, unless somebody uses it again. */
  idle(live: LiveSession): void {
    if (this.#idle.push(live) === 1) setImmediate(this.#leaveAll)
  }

  readonly #leaveAll = (): void => {
    const time = now()
    for (const live of this.#idle.splice(0)) this.#leave(live, time)
  }

  /** Its last connection has left; if it was closed because the session ended, that is gone already. */
  left(live: LiveSession): void {
    if (this.#has(live)) this.#lingering.set(live, now())
  }

  /** Whether this object, and not another one of the same id, is here. */
  #has(live: LiveSession): boolean {
    return this.#sessions.get(live.id) === live
  }

  /** Removes this object, not another one of the same id. */
  drop(live: LiveSession): void {
    if (!this.#has(live)) return
    this.#sessions.delete(live.id)
    this.#byRoom?.delete(live.room)
    this.#lingering.delete(live)
  }

  /** Runs until there is nothing to do. */
  startClock(): void {
    if (this.#clock || this.#isClosed) return
    this.#clock = setInterval(this.#tick, Math.max(10, Math.min(precision, this.recheck / 2))).unref()
  }

  close(): void {
    this.#isClosed = true
    this.#stopClock()
    for (const live of this.#sessions.values()) this.drop(live)
  }

  #stopClock(): void {
    clearInterval(this.#clock)
    this.#clock = undefined
  }

  readonly #tick = (): void => {
    const time = now()
    for (const live of this.#sessions.values()) {
      if (live.isIdle) this.#leave(live, time)
      else if (live.isHeld && this.#isDue(live, time)) live.refreshUnheard()
    }
    const isBusy = this.#retry()
    if (!isBusy && this.size === 0) this.#stopClock()
  }

  /** An expired session is due, too: another process may have touched it, so the store decides. */
  #isDue({ stored: { askedAt, shared } }: LiveSession, time: number): boolean {
    const asked = time - askedAt
    return shared.isExpired ? asked >= precision : asked >= this.recheck && !shared.isWithin(this.recheck)
  }

  /** A session that was written lately is kept: another node may have destroyed it before that. */
  #leave(live: LiveSession, time: number): void {
    if (!live.isIdle || !this.#has(live)) return
    const leftAt = this.#lingering.get(live) ?? Number.NEGATIVE_INFINITY
    if (time - leftAt < this.freshFor) return
    if (time - live.wroteAt >= recent || !this.#peers.areReachable) this.drop(live)
  }
}
