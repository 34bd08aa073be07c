/**
 * Who gets in: handshake → live session → on the socket, before `connection` fires. The guard of every namespace, and
 * `load`, which is the same without a socket.
 */
import { Verifier } from './cookie'
import { SessionError } from './errors'
import { pass } from './event-gate'
import { type HandshakeLike, identify, isAnonymous, ticketOf } from './handshake'
import type { LiveSession } from './live-session'
import type { ResolvedOptions, Tell } from './options'
import type { AllCors } from './origin'
import { recover } from './recovery'
import type { SessionRegistry } from './registry'
import { type ConnectionLike, expose, type Gate, type SocketLike, useFirst } from './socket-io'
import { isThenable } from './store'
import { notFound } from './stored-session'
import { Tickets } from './ticket'

export class Admission {
  readonly tickets: Tickets
  readonly verifier: Verifier
  /** Nobody gets in any more. */
  isClosed = false

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
    this.verifier = new Verifier(options.secrets)
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
    const refuse = (error: unknown) => next(this.#tell(error, 'handshake').forClient())
    let admitting: Promise<void> | void
    try {
      admitting = this.#admit(socket)
    } catch (error) {
      refuse(error)
      return
    }
    if (isThenable(admitting)) admitting.then(() => next(), refuse)
    else next()
  }

  /**
   * @returns a promise only where somebody has to be asked
   * @throws SessionError (or rejects) for whatever refuses this handshake
   */
  open(handshake: HandshakeLike): LiveSession | Promise<LiveSession> {
    this.assertOpen()
    const ticket = ticketOf(handshake)
    if (ticket !== undefined) return this.#redeem(ticket)
    const id = identify(handshake, this.#options, this.#cors, this.verifier)
    return after(id, (id) => this.#read(id))
  }

  /** The session that this connection has by this instance. */
  heldBy(conn: object): LiveSession | undefined {
    return this.#held.get(conn)
  }

  /** @throws SessionError `ERR_SESSION_ENDED` */
  assertOpen(): void {
    if (this.isClosed) throw new SessionError('ERR_SESSION_ENDED', 'this instance was closed with close()')
  }

  #admit(socket: SocketLike): Promise<void> | void {
    return after(this.#held.get(socket.conn) ?? this.#identify(socket), (opened) => {
      this.assertOpen()
      const live = opened && this.#hold(opened, socket.conn)
      expose(socket, live)
      if (live) useFirst(socket, this.#gate(live))
      return after(recover(socket, live?.room), () => live && socket.join(live.room))
    })
  }

  /** A separate method, so that the closure captures only `live` and `this`. */
  #gate(live: LiveSession): Gate {
    return (_event, next) => pass(live, next, this.#options, this.#tell)
  }

  /** The session, undefined where none is required, or the refusal. */
  #identify(socket: SocketLike): LiveSession | undefined | Promise<LiveSession | undefined> {
    return this.#options.required ? this.#openFor(socket) : this.#openIfAny(socket)
  }

  async #openIfAny(socket: SocketLike): Promise<LiveSession | undefined> {
    try {
      return await this.#openFor(socket)
    } catch (error) {
      if (!isAnonymous(error as SessionError)) throw error
      this.#tell(error, 'handshake')
      return undefined
    }
  }

  #openFor({ conn, handshake }: SocketLike): LiveSession | Promise<LiveSession> {
    return ticketOf(handshake) === undefined ? this.open(handshake) : this.#openOnce(conn, handshake)
  }

  /** A ticket is good for one connection, whose namespaces all show it. */
  #openOnce(conn: object, handshake: HandshakeLike): Promise<LiveSession> {
    let opening = this.#redeeming.get(conn)
    if (!opening) {
      this.assertOpen()
      opening = this.#redeem(ticketOf(handshake)).finally(() => this.#redeeming.delete(conn))
      this.#redeeming.set(conn, opening)
    }
    return opening
  }

  #read(id: string): LiveSession | Promise<LiveSession> {
    return this.#registry.open(id, this.#options.freshFor)
  }

  async #redeem(shown: unknown): Promise<LiveSession> {
    const ticket = this.tickets.read(shown)
    const live = await this.#read(ticket.id)
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

/** As `then`, but in the same turn where the value is there already: that costs no promise, and answers sooner. */
function after<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return isThenable(value) ? (value as Promise<T>).then(next) : next(value as T)
}
