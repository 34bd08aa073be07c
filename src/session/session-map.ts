/**
 * A map from session id to the one object that knows all about it, made on demand and dropped when it is idle.
 */
import { now } from './clock'
import { recent } from './endings'
import type { LiveSession } from './live-session'

export class SessionMap {
  /** Whether nothing is remembered any more. */
  isClosed = false

  readonly #sessions = new Map<string, LiveSession>()
  /** By the name that other nodes give them. Made when one does so for the first time: most apps have no other node. */
  #byRoom: Map<string, LiveSession> | undefined
  /** Those that nobody uses any more; dropped at the end of the turn. */
  readonly #idle: LiveSession[] = []
  readonly #hasPeers: () => boolean

  /** @param hasPeers whether there are other nodes, whose news of an ending may come after a write */
  constructor(hasPeers: () => boolean) {
    this.#hasPeers = hasPeers
  }

  get size(): number {
    return this.#sessions.size
  }

  [Symbol.iterator](): Iterator<LiveSession> {
    return this.#sessions.values()
  }

  get(id: string): LiveSession | undefined {
    return this.#sessions.get(id)
  }

  inRoom(room: string): LiveSession | undefined {
    this.#byRoom ??= new Map([...this].map((live) => [live.room, live]))
    return this.#byRoom.get(room)
  }

  /**
   * The object of this id now: this one, if there is no other. One may outlive its place here, with a `Session` that
   * `load` gave; then nobody told it what happened meanwhile.
   */
  attach(live: LiveSession): LiveSession {
    const known = this.#sessions.get(live.id)
    if (known || live.ended || this.isClosed) return known ?? live
    if (live.stored.shared.isRead) live.stored.observations.disturb()
    this.#sessions.set(live.id, live)
    this.#byRoom?.set(live.room, live)
    this.idle(live)
    return live
  }

  /** Nobody uses it; it is dropped at the end of the turn unless somebody does so by then. */
  idle(live: LiveSession): void {
    if (this.#idle.push(live) > 1) return
    setImmediate(() => {
      for (const live of this.#idle.splice(0)) this.dropIfIdle(live)
    })
  }

  /** One that was written lately is kept: a destroy of another node may have come before that. */
  dropIfIdle(live: LiveSession): void {
    const isRecent = now() - live.wroteAt < recent && this.#hasPeers()
    if (live.isIdle && !isRecent) this.drop(live)
  }

  /** This one; not another one of the same id. */
  drop(live: LiveSession): void {
    if (this.#sessions.get(live.id) !== live) return
    this.#sessions.delete(live.id)
    this.#byRoom?.delete(live.room)
  }

  close(): void {
    this.isClosed = true
    this.#sessions.clear()
    this.#byRoom = undefined
  }
}
