/**
 * A map from session id to the one object that knows all about it, dropped when it is idle, or a while after its last
 * connection has left; and the clock that looks after them: it re-reads what nobody has asked about for a while, and
 * asks about those whose time is over. It runs only while there is something to do, and keeps no process alive.
 */
import { BoundedMap } from '../bounded-map'
import { now, precision } from './clock'
import { recent } from './endings'
import type { LiveSession } from './live-session'

/** How many sessions linger. */
const mostLingering = 10_000

export class SessionMap {
  /** Milliseconds for which a session stays when its last connection has left: its client may be back before long. */
  freshFor = Number.POSITIVE_INFINITY
  /** Milliseconds between re-reads of a session whose connections are idle. */
  recheck = Number.POSITIVE_INFINITY

  readonly #sessions = new Map<string, LiveSession>()
  /** By the name that other nodes give them. Made when one does so for the first time: most apps have no other node. */
  #byRoom: Map<string, LiveSession> | undefined
  /** Those that nobody uses any more; dropped at the end of the turn. */
  readonly #idle: LiveSession[] = []
  /** Those whose connections have left, and when; some may be back. */
  readonly #lingering = new BoundedMap<LiveSession, number>(mostLingering, (live) => this.#leave(live))
  readonly #hasPeers: () => boolean
  readonly #retry: () => boolean
  #clock: NodeJS.Timeout | undefined
  #isClosed = false

  /**
   * @param hasPeers whether there are other nodes, whose news of an ending may come after a write
   * @param retry what is to be done again now and then; whether there was something
   */
  constructor(hasPeers: () => boolean, retry: () => boolean) {
    this.#hasPeers = hasPeers
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
   * The object of this id now: this one, if there is no other. One may outlive its place here, with a `Session` that
   * `load` gave; then nobody told it what happened meanwhile.
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

  /** Nobody uses it; at the end of the turn it is dropped or lingers, unless somebody does so by then. */
  idle(live: LiveSession): void {
    if (this.#idle.push(live) === 1) setImmediate(this.#leaveAll)
  }

  readonly #leaveAll = (): void => {
    for (const live of this.#idle.splice(0)) this.#leave(live)
  }

  /** Its last connection has left. */
  left(live: LiveSession): void {
    this.#lingering.set(live, now())
  }

  /** This one; not another one of the same id. */
  drop(live: LiveSession): void {
    if (this.#sessions.get(live.id) !== live) return
    this.#sessions.delete(live.id)
    this.#byRoom?.delete(live.room)
    this.#lingering.delete(live)
  }

  /** To be called when there is something to do. */
  startClock(): void {
    if (this.#clock || this.#isClosed) return
    this.#clock = setInterval(this.#tick, Math.max(10, Math.min(precision, this.recheck / 2))).unref()
  }

  close(): void {
    this.#isClosed = true
    this.#stopClock()
    this.#sessions.clear()
    this.#byRoom = undefined
  }

  #stopClock(): void {
    clearInterval(this.#clock)
    this.#clock = undefined
  }

  readonly #tick = (): void => {
    for (const live of this.#sessions.values()) {
      if (live.isIdle) this.#leave(live)
      else if (live.isHeld && this.#isDue(live)) live.refreshUnheard()
    }
    const isBusy = this.#retry()
    if (!isBusy && this.size === 0) this.#stopClock()
  }

  /** The store decides, also of one that has expired as far as we know: another process may have touched it. */
  #isDue({ stored: { askedAt, shared } }: LiveSession): boolean {
    const asked = now() - askedAt
    return shared.isExpired ? asked >= precision : asked >= this.recheck && !shared.isWithin(this.recheck)
  }

  /** One that was written lately is kept: a destroy of another node may have come before that. */
  #leave(live: LiveSession): void {
    if (!live.isIdle || this.#sessions.get(live.id) !== live) return
    const time = now()
    const leftAt = this.#lingering.get(live) ?? Number.NEGATIVE_INFINITY
    if (time - leftAt < this.freshFor) return
    if (time - live.wroteAt >= recent || !this.#hasPeers()) this.drop(live)
  }
}
