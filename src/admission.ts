/**
 * Who gets in: handshake → live session → on the socket, before `connection` fires. The guard of every namespace, and
 * `load`, which is the same without a socket.
 */
import { SessionError } from './errors'
import { gateEvents } from './event-gate'
import { type HandshakeLike, identify, isAnonymous, ticketOf } from './handshake'
import type { LiveSession } from './live-session'
import type { ResolvedOptions, Stage } from './options'
import type { CorsLike } from './origin'
import { recover } from './recovery'
import type { SessionRegistry } from './registry'
import { expose, type SocketLike } from './socket-io'
import { Tickets } from './ticket'

/** Tells the app of an error that nobody awaits. */
export type Tell = (error: unknown, stage: Stage) => SessionError

export class Admission {
  readonly tickets: Tickets
  /** Nobody gets in any more. */
  isClosed = false

  readonly #options: ResolvedOptions
  readonly #registry: SessionRegistry
  readonly #cors: () => readonly CorsLike[]
  readonly #tell: Tell
  /** What is being opened for connections. */
  readonly #opening = new WeakMap<object, Promise<LiveSession>>()

  constructor(options: ResolvedOptions, registry: SessionRegistry, cors: () => readonly CorsLike[], tell: Tell) {
    this.tickets = new Tickets(options.secrets)
    this.#options = options
    this.#registry = registry
    this.#cors = cors
    this.#tell = tell
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
    const { freshFor } = this.#options
    if (ticketOf(handshake) === undefined) {
      return this.#registry.open(await identify(handshake, this.#options, this.#cors()), freshFor)
    }
    const ticket = this.tickets.read(ticketOf(handshake))
    const live = await this.#registry.open(ticket.id, freshFor)
    await this.tickets.redeem(ticket, live)
    return live
  }

  /** @throws SessionError `ERR_SESSION_ENDED` */
  assertOpen(): void {
    if (this.isClosed) throw new SessionError('ERR_SESSION_ENDED', 'this instance was closed with close()')
  }

  async #admit(socket: SocketLike): Promise<void> {
    const opened = await this.#identify(socket)
    this.assertOpen()
    if (!opened) {
      expose(socket, undefined, undefined)
      return recover(socket, undefined)
    }
    const live = this.#hold(opened, socket)
    expose(socket, live.id, live.session)
    gateEvents(socket, live, this.#options, this.#tell)
    await recover(socket, live.room)
    await socket.join(live.room)
  }

  #hold(opened: LiveSession, { conn }: SocketLike): LiveSession {
    if (conn.readyState !== 'open') throw new SessionError('ERR_SESSION_ENDED', 'the client left while it connected')
    if (!this.#registry.heldBy(conn)) conn.once('close', () => this.#registry.release(conn))
    return this.#registry.hold(opened, conn)
  }

  /** One load per connection: its other namespaces find the session held, or being opened. */
  async #identify({ conn, handshake }: SocketLike): Promise<LiveSession | undefined> {
    try {
      return this.#registry.heldBy(conn) ?? (await this.#openOnce(conn, handshake))
    } catch (error) {
      if (this.#options.required || !isAnonymous(error as SessionError)) throw error
      this.#tell(error, 'handshake')
      return undefined
    }
  }

  #openOnce(conn: object, handshake: HandshakeLike): Promise<LiveSession> {
    let opening = this.#opening.get(conn)
    if (!opening) {
      opening = this.open(handshake).finally(() => this.#opening.delete(conn))
      this.#opening.set(conn, opening)
    }
    return opening
  }
}
