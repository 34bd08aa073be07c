/**
 * session.socket.io 0.2.1: `new SessionSockets(io, store, cookieParser, key)` gives the listeners of `connection` the session,
 * or an error. Every client connects, as ever; who has a session is `handshakeSession`'s business, in every namespace.
 */
import {
  type ExpressSession,
  type HandshakeLike,
  type HandshakeSessions,
  handshakeSession,
  SessionError,
  type StoreLike,
} from '../src'
import { type Guard, guardOf, guardServer, isAnonymous, isServer, recover } from '../src/internals'
import { isNewSession } from './new-session'
import { asSessionMiddleware, type CookieParser, parse } from './parsed-sessions'

declare namespace SessionSockets {
  /** A socket, as Socket.IO gives it. */
  interface SocketLike {
    readonly handshake: HandshakeLike
  }
  type Listener<Socket> = (error: Error | null, socket: Socket, session: ExpressSession) => void
  interface Namespace<Socket> {
    on(event: string, listener: Listener<Socket>): this
  }
  /** A Socket.IO 4 server, with the face of `compat/socket.io` or without. */
  interface Server<Socket> {
    readonly sockets: { readonly sockets: ReadonlyMap<string, Socket> }
    of(name: string): object
  }
}

type AnySocket = Parameters<Guard>[0]
type Events = { on(event: string, listener: (socket: AnySocket) => void): unknown }

class SessionSockets<Socket extends SessionSockets.SocketLike> implements SessionSockets.Namespace<Socket> {
  readonly io: SessionSockets.Server<Socket>
  readonly #sessions: HandshakeSessions
  readonly #key: string
  /** Why a socket has no session. */
  readonly #refusals = new WeakMap<object, Error>()

  /**
   * @param store the store instance of `session()`
   * @param cookieParser `cookieParser(secret)`, with the secret of `session()`
   * @param key name of the session cookie
   * @throws SessionError `ERR_SESSION_OPTIONS`
   */
  constructor(io: SessionSockets.Server<Socket>, store: StoreLike, cookieParser: CookieParser, key = 'connect.sid') {
    if (!isServer(io)) {
      throw new SessionError('ERR_SESSION_OPTIONS', 'session.socket.io: io: expected a Server of Socket.IO 4')
    }
    const middleware = asSessionMiddleware('session.socket.io', store, cookieParser, key)
    this.io = io
    this.#key = key
    // Joined for good: the old API has no close.
    this.#sessions = handshakeSession(middleware, { required: false })
    const guard = guardOf(this.#sessions)
    guardServer(io, (socket, next) => {
      parse(cookieParser, socket.handshake) // Apps may look at its cookies.
      guard(socket, (refusal) => {
        if (!refusal) return next()
        this.#refusals.set(socket, refusal)
        Promise.resolve(recover(socket, undefined)).then(() => next(), next)
      })
    })
  }

  /** `listener(error, socket, session)`: an error or a session, which is the live one. */
  on(event: string, listener: SessionSockets.Listener<Socket>): this {
    this.#listen(this.io.sockets as unknown as Events, event, listener)
    return this
  }

  /** The same for a namespace. */
  of(name: string): SessionSockets.Namespace<Socket> {
    const namespace = this.io.of(name) as Events
    const bound: SessionSockets.Namespace<Socket> = {
      on: (event, listener) => {
        this.#listen(namespace, event, listener)
        return bound
      },
    }
    return bound
  }

  /** `callback(error, session, socket)`, always later than this call. */
  getSession(socket: Socket, callback: (error: Error | null, session: ExpressSession, socket: Socket) => void): void {
    this.#sessions.load(socket?.handshake).then(
      (session) => process.nextTick(callback, null, session, socket),
      (error) => process.nextTick(callback, this.#told(error), undefined as never, socket),
    )
  }

  #listen(namespace: Events, event: string, listener: SessionSockets.Listener<Socket>): void {
    namespace.on(event, (socket) => {
      const refusal = this.#refusals.get(socket)
      const { session: there } = socket.handshake
      const session = refusal || isNewSession(there) ? undefined : there
      listener(session ? null : this.#told(refusal), socket as unknown as Socket, session as ExpressSession)
    })
  }

  /** The store's own error, as it always was; or that there is none. */
  #told(refusal?: Error): Error {
    const told = (refusal?.cause ?? refusal) as SessionError | undefined
    if (told && !isAnonymous(told)) return told.cause instanceof Error ? told.cause : told
    return new Error(`Could not lookup session by key: ${this.#key}`, { cause: told })
  }
}

export = SessionSockets
