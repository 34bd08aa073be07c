/** Who gets in: handshake → live session → on the socket, before `connection` fires; and the same without a socket. */
import { isAnonymous, notFound, SessionError } from '../errors'
import { type Explanation, explainHandshake, type Policy } from '../handshake/explain'
import { checkID, type HandshakeLike, identify, ticketOf } from '../handshake/identify'
import type { LiveSession } from '../session/live-session'
import type { SessionRegistry } from '../session/registry'
import { isThenable } from '../store/record'
import { EventGate, type GateOptions } from './event-gate'
import type { Guard } from './namespaces'
import { useFirst } from './private-parts'
import { recover } from './recovery'
import type { ConnectionLike, SocketLike } from './socket-io-like'

interface AdmissionOptions extends Policy, GateOptions {
  readonly registry: SessionRegistry
}

export class Admission {
  /** Nobody gets in any more. */
  isClosed = false

  readonly #options: AdmissionOptions
  /** Connections that show a ticket, until that is redeemed: for all their namespaces at once. */
  readonly #redeeming = new WeakMap<object, Promise<LiveSession>>()
  /** What connections have. Of this instance: another one on the same store may want another cookie. */
  readonly #held = new Map<object, LiveSession>()
  /** The one listener of all connections. */
  readonly #closed: (this: ConnectionLike) => void

  constructor(options: AdmissionOptions) {
    this.#options = options
    const held = this.#held
    this.#closed = function closed() {
      this.off('close', closed)
      held.get(this)?.release(this)
      held.delete(this)
    }
  }

  readonly guard: Guard = (socket, next) => {
    const refuse = (error: unknown) => next(this.#options.tell(error, 'handshake').forClient())
    try {
      const admitting = this.#admit(socket)
      if (isThenable(admitting)) return void admitting.then(() => next(), refuse)
    } catch (error) {
      return refuse(error)
    }
    next()
  }

  /**
   * @param conn the connection, if there is one: a ticket is good for one, whose namespaces all show it
   * @returns a promise only where somebody has to be asked
   * @throws SessionError (or rejects) for whatever refuses this handshake
   */
  open(handshake: HandshakeLike, conn: object = {}): LiveSession | Promise<LiveSession> {
    this.assertOpen()
    const { registry, freshFor } = this.#options
    if (ticketOf(handshake) === undefined) {
      return after(identify(handshake, this.#options), (id) => registry.open(id, freshFor))
    }
    const redeeming = this.#redeeming.get(conn) ?? this.#redeem(handshake).finally(() => this.#redeeming.delete(conn))
    this.#redeeming.set(conn, redeeming)
    return redeeming
  }

  async explain(handshake: HandshakeLike): Promise<Explanation> {
    this.assertOpen()
    return explainHandshake(handshake, this.#options)
  }

  /** The session of an id, or of a socket that was let in here. @throws SessionError (or rejects) as `update` */
  find(target: Pick<SocketLike, 'conn'> | string): LiveSession | Promise<LiveSession> {
    this.assertOpen()
    if (typeof target !== 'object' || target === null) return this.#options.registry.open(checkID(target))
    const live = this.#held.get(target.conn)
    if (live) return live
    const message = 'that socket has no session by this instance: its client left, or another instance let it in'
    throw new SessionError('ERR_SESSION_NOT_FOUND', message)
  }

  /** @throws SessionError `ERR_SESSION_ENDED` */
  assertOpen(): void {
    if (this.isClosed) throw new SessionError('ERR_SESSION_ENDED', 'this instance was closed with close()')
  }

  #admit(socket: SocketLike): Promise<void> | void {
    return after(this.#sessionOf(socket), (opened) => {
      this.assertOpen()
      const live = opened && this.#hold(opened, socket.conn)
      if (!live) return recover(socket, undefined)
      // In a further namespace the cookie is the same; a ticket may be another one's.
      const ticket = ticketOf(socket.handshake)
      if (ticket !== undefined && !this.#options.tickets.isFor(live.id, ticket)) throw twoSessions()
      return after(renew(live), () => this.#put(live, socket))
    })
  }

  #put(live: LiveSession, socket: SocketLike): Promise<void> | void {
    if (live.ended) throw notFound()
    // Where apps look for it. Without one nothing is put there, as another instance may have put another session.
    const { id: sessionID, session } = live
    for (const place of [socket.handshake, socket.request]) if (place) Object.assign(place, { sessionID, session })
    useFirst(socket, new EventGate(live, this.#options).pass)
    return after(recover(socket, live.room), () => socket.join(live.room))
  }

  /** The session, undefined where none is required, or the refusal. */
  #sessionOf({ conn, handshake }: SocketLike): LiveSession | undefined | Promise<LiveSession | undefined> {
    const { required, freshFor } = this.#options
    const held = this.#held.get(conn)
    if (held) return after(renew(held, freshFor), () => held)
    return required ? this.open(handshake, conn) : this.#openIfAny(handshake, conn)
  }

  async #openIfAny(handshake: HandshakeLike, conn: object): Promise<LiveSession | undefined> {
    try {
      return await this.open(handshake, conn)
    } catch (error) {
      if (!isAnonymous(error as SessionError)) throw error
      this.#options.tell(error, 'handshake')
      return undefined
    }
  }

  async #redeem(handshake: HandshakeLike): Promise<LiveSession> {
    const { tickets, registry, freshFor } = this.#options
    const ticket = tickets.read(ticketOf(handshake))
    const live = await registry.open(ticket.id, freshFor)
    await tickets.redeem(ticket, live)
    await renew(live)
    return live
  }

  #hold(opened: LiveSession, conn: ConnectionLike): LiveSession {
    if (conn.readyState !== 'open') throw new SessionError('ERR_SESSION_ENDED', 'the client left while it connected')
    const held = this.#held.get(conn)
    if (held?.ended) throw notFound()
    if (held && held.id !== opened.id) throw twoSessions()
    if (held) return held
    const live = opened.hold(conn)
    this.#held.set(conn, live)
    conn.on('close', this.#closed)
    return live
  }
}

/** Rule 1, before it is handed out: it may have been disturbed since it was opened, by what it waited for above all. */
function renew(live: LiveSession, freshFor = Number.POSITIVE_INFINITY): Promise<void> | void {
  if (!live.isCurrent(freshFor)) return live.refresh()
}

function twoSessions(): SessionError {
  return new SessionError('ERR_SESSION_CONFLICT', 'this connection has another session')
}

/** As `then`, but in the same turn where the value is there already: that costs no promise, and answers sooner. */
function after<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return isThenable(value) ? (value as Promise<T>).then(next) : next(value as T)
}
