/**
 * The sessions that are live, found by id; or by room, the name by which other nodes speak of them.
 */
import type { LiveSession } from './live-session'

export class SessionIndex {
  readonly #byID = new Map<string, LiveSession>()
  /** Made when another node names the first one: most apps have no other node. */
  #byRoom: Map<string, LiveSession> | undefined

  get size(): number {
    return this.#byID.size
  }

  get(id: string): LiveSession | undefined {
    return this.#byID.get(id)
  }

  inRoom(room: string): LiveSession | undefined {
    this.#byRoom ??= new Map([...this].map((live) => [live.room, live]))
    return this.#byRoom.get(room)
  }

  add(live: LiveSession): void {
    this.#byID.set(live.id, live)
    this.#byRoom?.set(live.room, live)
  }

  /** This one; not another one of the same id. */
  delete(live: LiveSession): void {
    if (this.#byID.get(live.id) !== live) return
    this.#byID.delete(live.id)
    this.#byRoom?.delete(live.room)
  }

  clear(): void {
    this.#byID.clear()
    this.#byRoom = undefined
  }

  [Symbol.iterator](): Iterator<LiveSession> {
    return this.#byID.values()
  }
}
