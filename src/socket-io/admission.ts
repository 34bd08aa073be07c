/** Who gets in: handshake → live session → on the socket, before `connection` fires; and the same without a socket. */
import { asSessionError, isAnonymous, notFound, SessionError } from '../errors'
import { type Explanation, explainHandshake, type Policy } from '../handshake/explain'
import { Hints } from '../handshake/hints'
import { checkID, type HandshakeLike, identify, ticketOf } from '../handshake/identify'
import type { LiveSession } from '../session/live-session'
import type { SessionRegistry } from '../session/registry'
import { type ExpressSession, isThenable, type SessionRecord } from '../store/record'
import type { Authorization } from './authorization'
import { Connections, twoSessions } from './connections'
import { EventGate, type GateOptions } from './event-gate'
import type { Guard } from './namespaces'
import type { Permission } from './permission'
import { recover } from './recovery'
import type { SessionHandshake, SocketLike } from './socket-io-like'

interface AdmissionOptions extends Omit<Policy, 'recordOf' | 'authorizes'>, GateOptions {
  /** Undefined if every session may connect. */
  readonly authorization: Authorization | undefined
  readonly registry: SessionRegistry
}

export class Admission {
  /** Nobody gets in any more. */
  isClosed = false

  readonly #options: AdmissionOptions
  readonly #hints: Hints
  /** Tickets that are being redeemed, by connection: once for all its namespaces. */
  readonly #redeeming = new WeakMap<object, Promise<LiveSession>>()
  /** Those of this instance: another one on the same store may use another cookie. */
  readonly #connections = new Connections()

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#hints = new Hints(options)
  }

  readonly guard: Guard = async (socket, next) => {
    let refusal: SessionError | undefined
    try {
      const { authorization, freshFor } = this.#options
      const opened = this.#sessionOf(socket)
      const live = isThenable(opened) ? await opened : opened
      // Rule 1: first it is read, unless it is known, and nothing disturbed it since.
      if (live && !live.isCurrent(freshFor)) await live.refresh()
      const permission = live && authorization?.permission(live, socket.handshake)
      if (permission) await permission.admit()
      const joining = this.#letIn(live, socket, permission)
      if (joining) await joining
    } catch (error) {
      refusal = this.#refusal(error, socket)
    }
    next(refusal)
  }

  #refusal(error: unknown, { handshake }: SocketLike): SessionError {
    const refusal = this.#hints.addTo(asSessionError(error, 'unexpected failure during handshake'), handshake)
    return this.#options.tell(refusal, refusal.code === 'ERR_SESSION_FORBIDDEN' ? 'authorize' : 'handshake').forClient()
  }

  /** @throws SessionError (rejects) for whatever refuses this handshake */
  async load(handshake: HandshakeLike): Promise<ExpressSession> {
    const live = await this.#open(handshake)
    await this.#options.authorization?.permission(live, handshake).admit()
    return live.session
  }

  #open(handshake: HandshakeLike, conn: object = {}): LiveSession | Promise<LiveSession> {
    const { registry, freshFor } = this.#options
    const found = this.#identify(handshake, conn)
    return isThenable(found) ? found.then(({ id }) => registry.open(id, freshFor)) : registry.open(found.id, freshFor)
  }

  async explain(handshake: HandshakeLike): Promise<Explanation> {
    this.assertOpen()
    const { authorization, registry } = this.#options
    const recordOf = async (id: string) => {
      const record = await registry.store.get(id)
      return registry.endings.has(id) ? undefined : record
    }
    if (!authorization) return explainHandshake(handshake, { ...this.#options, recordOf })
    const authorizes = async (id: string, record: SessionRecord) => {
      const verdict = await authorization.ask(registry.at(id).stored.shared.create(record), handshake)
      if (verdict !== true) throw verdict
    }
    return explainHandshake(handshake, { ...this.#options, recordOf, authorizes })
  }

  /** The session of an id, or of a socket that was let in here. @throws SessionError (or rejects) as `update` */
  find(target: Pick<SocketLike, 'conn'> | string): LiveSession | Promise<LiveSession> {
    this.assertOpen()
    if (typeof target !== 'object' || target === null) return this.#options.registry.open(checkID(target))
    const live = this.#connections.sessionOf(target.conn)
    if (live) return live
    const message = 'that socket has no session by this instance: its client left, or another instance let it in'
    throw new SessionError('ERR_SESSION_NOT_FOUND', message)
  }

  /** @throws SessionError `ERR_SESSION_ENDED` */
  assertOpen(): void {
    if (this.isClosed) throw new SessionError('ERR_SESSION_ENDED', 'this instance was closed with close()')
  }

  #letIn(found: LiveSession | undefined, socket: SocketLike, permission?: Permission): Promise<void> | void {
    this.assertOpen()
    const live = found && this.#connections.hold(found, socket.conn)
    if (!live) return recover(socket, undefined)
    // In a further namespace the cookie is the same; a ticket may be another one's.
    const ticket = ticketOf(socket.handshake)
    if (ticket !== undefined && !this.#options.tickets.isFor(live.id, ticket)) throw twoSessions()
    if (live.ended) throw notFound()
    // Where apps look for it. Without one nothing is put there, as another instance may have put another session.
    expose(live, socket.handshake)
    if (socket.request) expose(live, socket.request)
    const gate = new EventGate(live, this.#options, permission)
    socket.use(gate.pass.bind(gate)) // A closure would keep what this function knows.
    if (permission) this.#options.authorization?.watch(permission, socket)
    const recovering = recover(socket, live.room)
    return isThenable(recovering) ? recovering.then(() => socket.join(live.room)) : socket.join(live.room)
  }

  /** The session, undefined where none is required, or the refusal. It may still have to be read. */
  #sessionOf({ conn, handshake }: SocketLike): LiveSession | undefined | Promise<LiveSession | undefined> {
    const held = this.#connections.sessionOf(conn)
    return held ?? (this.#options.required ? this.#identify(handshake, conn) : this.#openIfAny(handshake, conn))
  }

  /** @param conn the connection: a ticket is good for one, whose namespaces all show it */
  #identify(handshake: HandshakeLike, conn: object): LiveSession | Promise<LiveSession> {
    this.assertOpen()
    if (ticketOf(handshake) === undefined) {
      const { registry } = this.#options
      const id = identify(handshake, this.#options)
      return typeof id === 'string' ? registry.at(id) : id.then((id) => registry.at(id))
    }
    const redeeming = this.#redeeming.get(conn) ?? this.#redeem(handshake).finally(() => this.#redeeming.delete(conn))
    this.#redeeming.set(conn, redeeming)
    return redeeming
  }

  async #openIfAny(handshake: HandshakeLike, conn: object): Promise<LiveSession | undefined> {
    try {
      return await this.#open(handshake, conn)
    } catch (error) {
      if (!isAnonymous(error as SessionError)) throw error
      this.#options.tell(this.#hints.addTo(error as SessionError, handshake), 'handshake')
      return undefined
    }
  }

  async #redeem(handshake: HandshakeLike): Promise<LiveSession> {
    const { tickets, registry } = this.#options
    const ticket = tickets.read(ticketOf(handshake))
    const live = await registry.open(ticket.id)
    await tickets.redeem(ticket, live)
    return live
  }
}

function expose({ id, session }: LiveSession, place: Partial<SessionHandshake>): void {
  place.sessionID = id
  place.session = session
}
