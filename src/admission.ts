/**
 * Who gets in: handshake → live session → on the socket, before `connection` fires. The guard of every namespace, and
 * `load`, which is the same without a socket.
 */
import { Verifier } from './cookie'
import { SessionError } from './errors'
import { pass } from './event-gate'
import { type HandshakeLike, identify, isAnonymous, ticketOf } from './handshake'
import type { LiveSession } from './live-session'
import type { ResolvedOptions, Stage } from './options'
import type { AllCors } from './origin'
import { recover } from './recovery'
import type { SessionRegistry } from './registry'
import { type ConnectionLike, expose, type SocketLike, useFirst } from './socket-io'
import { notFound } from './stored-session'
import { Tickets } from './ticket'

/** Tells the app of an error that nobody awaits. */
export type Tell = (error: unknown, stage: Stage) => SessionError

export class Admission {
  readonly tickets: Tickets
  /** Nobody gets in any more. */
  isClosed = false

  readonly #verifier: Verifier
  readonly #options: ResolvedOptions
  readonly #registry: SessionRegistry
  readonly #cors: AllCors
  readonly #tell: Tell
  /** Connections that show a ticket, until that is redeemed: for all their namespaces at once. */
  readonly #redeeming = new WeakMap<object, Promise<LiveSession>>()
  /** What connections have. Of this instance: another one on the same store may want another cookie. */
  readonly #held = new Map<object, LiveSession>()
  /** The one listener of all connections. */
  readonly #closed: (this: ConnectionLike) => void

  constructor(options: ResolvedOptions, registry: SessionRegistry, cors: AllCors, tell: Tell) {
    this.tickets = new Tickets(options.secrets)
    this.#verifier = new Verifier(options.secrets)
    this.#options = options
    this.#registry = registry
    this.#cors = cors
    this.#tell = tell
    const held = this.#held
    this.#closed = function closed() {
      this.off('close', closed)
      const live = held.get(this)
      held.delete(this)
      if (live) registry.release(live, this)
    }
  }

  readonly guard = (socket: SocketLike, next: (error?: Error) => void): void => {
    this.#admit(socket).then(
      () => next(),
      (error: unknown) => next(this.#tell(error, 'handshake').forClient()),
    )
  }

  /** @throws SessionError (rejects) for whatever refuses this handshake */
  async open(handshake: HandshakeLike): Promise<LiveSession> {
    this.assertOpen()
    const ticket = ticketOf(handshake)
    if (ticket !== undefined) return await this.#redeem(ticket)
    const id = await identify(handshake, this.#options, this.#cors, this.#verifier)
    return await this.#registry.open(id, this.#options.freshFor)
  }

  /** The session that this connection has by this instance. */
  heldBy(conn: object): LiveSession | undefined {
    return this.#held.get(conn)
  }

  /** @throws SessionError `ERR_SESSION_ENDED` */
  assertOpen(): void {
    if (this.isClosed) throw new SessionError('ERR_SESSION_ENDED', 'this instance was closed with close()')
  }

  async #admit(socket: SocketLike): Promise<void> {
    const { conn } = socket
    const opened = this.#held.get(conn) ?? (await this.#identify(socket))
    this.assertOpen()
    const live = opened && this.#hold(opened, conn)
    expose(socket, live)
    if (live) useFirst(socket, (_event, next) => pass(live, next, this.#options, this.#tell))
    await recover(socket, live?.room)
    if (live) await socket.join(live.room)
  }

  /** The session, undefined where none is required, or the refusal. */
  async #identify({ conn, handshake }: SocketLike): Promise<LiveSession | undefined> {
    try {
      return await (ticketOf(handshake) === undefined ? this.open(handshake) : this.#openOnce(conn, handshake))
    } catch (error) {
      if (this.#options.required || !isAnonymous(error as SessionError)) throw error
      this.#tell(error, 'handshake')
      return undefined
    }
  }

  /** A ticket is good for one connection, whose namespaces all show it. */
  #openOnce(conn: object, handshake: HandshakeLike): Promise<LiveSession> {
    let opening = this.#redeeming.get(conn)
    if (!opening) {
      opening = this.open(handshake).finally(() => this.#redeeming.delete(conn))
      this.#redeeming.set(conn, opening)
    }
    return opening
  }

  async #redeem(shown: unknown): Promise<LiveSession> {
    const ticket = this.tickets.read(shown)
    const live = await this.#registry.open(ticket.id, this.#options.freshFor)
    await this.#registry.during(live, () => this.tickets.redeem(ticket, live))
    return live
  }

  #hold(opened: LiveSession, conn: ConnectionLike): LiveSession {
    if (conn.readyState !== 'open') throw new SessionError('ERR_SESSION_ENDED', 'the client left while it connected')
    const held = this.#held.get(conn)
    if (held?.ended) throw notFound()
    if (held && held.id !== opened.id)
      throw new SessionError('ERR_SESSION_CONFLICT', 'this connection has another session')
    if (held) return held
    const live = this.#registry.hold(opened, conn)
    this.#held.set(conn, live)
    conn.on('close', this.#closed)
    return live
  }
}
