/** Options in, `HandshakeSessions` out: the one place where the parts are wired. */
import { captureRejectionSymbol, EventEmitter } from 'node:events'
import { notFound, type Tell } from './errors'
import { telling } from './errors/tell'
import type { Explanation } from './handshake/explain'
import { checkID, type HandshakeLike } from './handshake/identify'
import type { SessionMiddleware } from './handshake/middleware'
import { Tickets } from './handshake/ticket'
import { type HandshakeSessionOptions, type MiddlewareOptions, resolveOptions } from './options'
import { checkReason, type EndReason } from './session/endings'
import type { Change } from './session/group-commit'
import { type SessionEnd, SessionRegistry } from './session/registry'
import { roomOf } from './session/room'
import { Admission } from './socket-io/admission'
import { Authorization } from './socket-io/authorization'
import { Cluster } from './socket-io/cluster'
import { EarlyMiddlewares } from './socket-io/early-middlewares'
import { guard, serverOf } from './socket-io/namespaces'
import { shareParts } from './socket-io/parts'
import { corsOf } from './socket-io/private-parts'
import type { NamespaceLike, ServerLike, SocketLike } from './socket-io/socket-io-like'
import type { ExpressSession } from './store/record'

/**
 * The Express session, on the socket. Takes what `session({ … })` of express-session returned; nothing is said twice.
 * @example
 * const sessionMiddleware = session({ secret: 'keyboard cat', resave: false, saveUninitialized: false })
 * app.use(sessionMiddleware)
 * handshakeSession(sessionMiddleware).attach(io)
 * io.on('connection', (socket) => console.log(socket.handshake.session.user))
 * @throws SessionError `ERR_SESSION_OPTIONS`
 */
export function handshakeSession(middleware: SessionMiddleware, options?: MiddlewareOptions): HandshakeSessions
/** The same for a process that has no session middleware: `store`, `secret` and `name` are those of `session()`. */
export function handshakeSession(options: HandshakeSessionOptions): HandshakeSessions
export function handshakeSession(
  first: SessionMiddleware | HandshakeSessionOptions,
  second?: MiddlewareOptions,
): HandshakeSessions {
  return new HandshakeSessions(first, second)
}

/** What `handshakeSession` returns. All its methods may be called at any time, in any order, more than once. */
export class HandshakeSessions {
  readonly #tell: Tell
  readonly #early: EarlyMiddlewares
  readonly #registry: SessionRegistry
  readonly #tickets: Tickets
  readonly #authorization: Authorization | undefined
  readonly #admission: Admission
  readonly #cluster: Cluster
  readonly #events = new EventEmitter<{ end: [SessionEnd] }>({ captureRejections: true })
  /** What is guarded. */
  readonly #attached = new Set<ServerLike | NamespaceLike>()

  /** @throws SessionError `ERR_SESSION_OPTIONS` */
  constructor(first: SessionMiddleware | HandshakeSessionOptions, second?: MiddlewareOptions) {
    const resolved = resolveOptions(first, second)
    const { store, secrets, emitter, onError, required, authorize } = resolved
    this.#tell = telling(onError, required)
    this.#registry = SessionRegistry.join(store, resolved)
    this.#early = new EarlyMiddlewares(this.#tell)
    this.#tickets = new Tickets(secrets)
    const guardsServerOf = ({ nsp }: SocketLike) => this.#attached.has(serverOf(nsp))
    this.#authorization =
      authorize &&
      new Authorization({ ...resolved, authorize, tell: this.#tell, registry: this.#registry, guardsServerOf })
    this.#admission = new Admission({
      ...resolved,
      cors: () => [...this.#cluster.servers].flatMap((io) => corsOf(io) ?? []),
      tickets: this.#tickets,
      authorization: this.#authorization,
      registry: this.#registry,
      isBeingWritten: (id) => this.#registry.sessions.get(id)?.stored.observations.isBeingWritten ?? false,
      tell: this.#tell,
    })
    Object.assign(this.#events, { [captureRejectionSymbol]: (error: Error) => this.#tell(error, 'end') })
    this.#registry.on('end', this.#ended)
    this.#registry.on('unheard', this.#tell)
    this.#cluster = new Cluster(this.#registry, emitter, this.#tell)
    shareParts(this, { registry: this.#registry, admission: this.#admission, cluster: this.#cluster })
  }

  /**
   * Guards every namespace of a Socket.IO server, present, future and dynamic; or just the namespace given. From then
   * on a client connects only with a valid session (see `required`), which is `socket.handshake.session` before
   * `connection` fires, and in every middleware added after this call.
   * @throws SessionError `ERR_SESSION_OPTIONS`
   */
  attach(target: ServerLike | NamespaceLike): this {
    this.#admission.assertOpen()
    if (this.#attached.has(target)) return this
    guard(target, this.#admission.guard, this.#early)
    this.#attached.add(target)
    this.#cluster.join(serverOf(target))
    return this
  }

  /**
   * The core path by itself: headers → verified id → session; for a bare WebSocket server, say. Checks the origin, too.
   * The session's `save()` writes only what was changed, and only if the session still exists. It is fresh when this
   * resolves; `reload()` it before you rely on it later, as nothing keeps it so unless a socket has it, too.
   * @throws SessionError (rejects) `ERR_SESSION_ORIGIN`, `_COOKIE_MISSING`, `_SIGNATURE`, `_TICKET`, `_NOT_FOUND`, `_FORBIDDEN`, `_STORE`,
   * `_TIMEOUT`, `_OPTIONS` for what is no handshake, `_ENDED` after `close()`
   */
  async load(handshake: HandshakeLike): Promise<ExpressSession> {
    return this.#admission.load(handshake)
  }

  /**
   * Why this handshake would be refused or accepted: each step, and the first cause. Holds no id and no secret.
   * @throws SessionError (rejects) `ERR_SESSION_ENDED` after `close()`, `_OPTIONS` for what is no handshake
   */
  async explain(handshake: HandshakeLike): Promise<Explanation> {
    return this.#admission.explain(handshake)
  }

  /**
   * Atomic read–modify–write: `change` gets the session as the store has it now; what it changed is written when it is
   * done, and no other `update` or save of this process comes between. It may be async, and may run again if another
   * writer was quicker. On any failure nothing of it is written.
   * Updates of one session that wait for each other are one write. On a store that can compare and set, `change` may first run
   * on what this process knows, of at most `freshFor` ago: it counts if the store still has that.
   * @param target a connected socket, or a session id
   * @returns what `change` returned
   * @throws SessionError (rejects) `ERR_SESSION_NOT_FOUND` when the session is gone, it is never resurrected;
   * `_CONFLICT`, `_STORE`, `_TIMEOUT`, `_ENDED` after `close()`, `_OPTIONS` for no id; and whatever `change` throws
   */
  async update<T>(target: Pick<SocketLike, 'conn'> | string, change: Change<T>): Promise<T> {
    return (await this.#admission.find(target)).update(change)
  }

  /**
   * The room that the sockets of a session are in, in every guarded namespace: `io.to(sessions.room(id)).emit(…)`.
   * The name does not contain the id. @throws SessionError `ERR_SESSION_OPTIONS` for no id
   */
  room(id: string): string {
    return roomOf(checkID(id))
  }

  /**
   * Ends a session everywhere: destroyed in the store, its sockets closed.
   * @param reason what `end` tells @default 'revoked'
   * @throws SessionError (rejects) `ERR_SESSION_OPTIONS` for no id or no such reason; `_STORE`, `_TIMEOUT`, with the sockets here closed
   */
  async revoke(id: string, reason: EndReason = 'revoked'): Promise<void> {
    this.#admission.assertOpen()
    await this.#registry.endings.destroy(checkID(id), checkReason(reason))
  }

  /**
   * A ticket for a client that cannot send the cookie, good for 60 seconds and one handshake: the client sends it as
   * `auth: { ticket }`, and its socket then lives as long as the session, as with the cookie. It does not tell the id.
   * @param request an Express request with a session that is saved, or will be when its response ends
   * @throws SessionError `ERR_SESSION_NOT_FOUND` if the request has no session, `_OPTIONS` if a middleware was given without `secret`
   */
  ticket(request: { session?: unknown; sessionID?: string }): string {
    if (!request?.session || typeof request.sessionID !== 'string') throw notFound()
    return this.#tickets.issue(request.sessionID)
  }

  /**
   * Told when a session ends that sockets of this process have, just before they are closed: what the listener emits to
   * its room still arrives. What the listener throws goes to `onError`.
   */
  on(event: 'end', listener: (end: SessionEnd) => void): this {
    this.#events.on(event, listener)
    return this
  }

  off(event: 'end', listener: (end: SessionEnd) => void): this {
    this.#events.off(event, listener)
    return this
  }

  /**
   * Releases the observed store and every listener. Later handshakes are refused with `ERR_SESSION_ENDED`, in every
   * namespace. Sockets that are connected stay, and nothing ends them any more: close the server first.
   */
  close(): void {
    if (this.#admission.isClosed) return
    this.#admission.isClosed = true
    this.#attached.clear()
    this.#events.removeAllListeners()
    this.#cluster.close()
    this.#authorization?.close()
    this.#registry.off('end', this.#ended)
    this.#registry.off('unheard', this.#tell)
    this.#registry.leave()
  }

  readonly #ended = (end: SessionEnd): void => {
    try {
      this.#events.emit('end', end)
    } catch (error) {
      this.#tell(error, 'end')
    }
  }
}
