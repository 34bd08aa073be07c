/**
 * Tells the other nodes what changed and what ended, through the Socket.IO adapter that the app has, or an emitter where
 * there is no server; and hears what they tell. News may get lost: `freshFor` and `recheck` bound what that costs.
 */
import { SessionError, type Tell } from '../errors'
import { type EndReason, isEndReason } from '../session/endings'
import type { Peers } from '../session/peers'
import type { SessionRegistry } from '../session/registry'
import { isRoom } from '../session/room'
import { reachesOthers } from './private-parts'
import type { Channel, ServerLike } from './socket-io-like'

/** The event by which nodes talk, on the main namespace. */
const eventName = 'handshake-session'

/** What is sent: sessions by their rooms, never by their ids. */
interface News {
  changed?: string[]
  ended?: [room: string, reason: EndReason][]
}

export class Cluster implements Peers {
  readonly #registry: SessionRegistry
  readonly #failed: Tell
  readonly servers = new Set<ServerLike>()
  readonly #emitter: Channel | undefined
  /** What changed since the last message. */
  readonly #changed = new Set<string>()

  constructor(registry: SessionRegistry, emitter: Channel | undefined, failed: Tell) {
    this.#registry = registry
    this.#emitter = emitter
    this.#failed = failed
    registry.peers.add(this)
  }

  join(io: ServerLike): void {
    if (this.servers.has(io)) return
    this.servers.add(io)
    io.on(eventName, this.#hear)
  }

  close(): void {
    this.#registry.peers.delete(this)
    this.#flush()
    for (const io of this.servers) io.off(eventName, this.#hear)
    this.servers.clear()
  }

  get areReachable(): boolean {
    return this.#channels.length > 0
  }

  /** Told at the end of the turn: of a burst of changes one. */
  changed(room: string): void {
    if (this.#changed.size === 0) setImmediate(() => this.#flush())
    this.#changed.add(room)
  }

  ended(room: string, reason: EndReason): void {
    this.#send({ ended: [[room, reason]] })
  }

  #flush(): void {
    if (this.#changed.size > 0) this.#send({ changed: [...this.#changed] })
    this.#changed.clear()
  }

  get #channels(): Channel[] {
    const servers = [...this.servers].filter(({ sockets }) => reachesOthers(sockets.adapter))
    return servers.length === 0 && this.#emitter ? [this.#emitter] : servers
  }

  #send(news: News): void {
    for (const channel of this.#channels) {
      try {
        channel.serverSideEmit(eventName, news)
      } catch (cause) {
        this.#failed(new SessionError('ERR_SESSION_STORE', 'the other nodes could not be told', { cause }), 'cluster')
      }
    }
  }

  /** Whatever arrives: what is not ours, or of nobody here, changes nothing. */
  readonly #hear = (news: unknown): void => {
    const { changed, ended } = Object(news) as { changed?: unknown; ended?: unknown }
    for (const room of listOf(changed)) if (isRoom(room)) this.#registry.heardChanged(room)
    for (const each of listOf(ended)) {
      const [room, reason] = listOf(each)
      if (isRoom(room) && isEndReason(reason)) this.#registry.endings.heard(room, reason)
    }
  }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
