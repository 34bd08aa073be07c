/**
 * The option `authorize`: which sessions may have a socket, asked when one connects, and again when its session has changed.
 * When answers overlap, the one for the newest session counts.
 */
import { SessionError, type Tell } from '../errors'
import type { HandshakeLike } from '../handshake/identify'
import type { LiveSession } from '../session/live-session'
import type { SessionRegistry } from '../session/registry'
import { Deadlines } from '../store/deadlines'
import { type ExpressSession, isThenable } from '../store/record'
import { Permission, type Verdict } from './permission'
import type { NamespaceLike, SocketLike } from './socket-io-like'

/** What `authorize` is told of the client: Socket.IO's handshake, or the request that `load` got. */
export interface AuthorizedHandshake extends HandshakeLike {
  query?: { [key: string]: string | string[] | undefined }
  address?: string
}

/** Whether this session may have a socket. The session is to be read, not changed. */
export type Authorize = {
  ask(session: ExpressSession, handshake: AuthorizedHandshake): boolean | Promise<boolean>
}['ask']

export interface AuthorizationOptions {
  readonly authorize: Authorize
  /** Milliseconds that it has for an answer. */
  readonly timeout: number
  readonly tell: Tell
  readonly registry: SessionRegistry
  /** Whether all namespaces of the server of this socket are guarded: then its connection is closed, not the socket alone. */
  guardsServerOf(socket: SocketLike): boolean
}

export class Authorization {
  readonly #options: AuthorizationOptions
  readonly #deadlines = new Deadlines()
  /** Of sockets that were let in here. */
  readonly #connecting = new WeakMap<SocketLike, Permission>()
  /** Of those that are connected, by their connections. */
  readonly #watched = new WeakMap<object, Set<Permission>>()
  /** Namespaces whose `connect` is listened to. */
  readonly #namespaces = new WeakSet<NamespaceLike>()

  constructor(options: AuthorizationOptions) {
    this.#options = options
    options.registry.on('changed', this.#changed)
  }

  /** Not asked yet. */
  permission(live: LiveSession, handshake: HandshakeLike): Permission {
    return new Permission(live, () => this.ask(live.session, handshake))
  }

  /** Once connected, this socket is closed when its permission is over. Until then other middlewares may still refuse it. */
  watch(permission: Permission, socket: SocketLike): void {
    this.#connecting.set(socket, permission)
    if (this.#namespaces.has(socket.nsp)) return
    this.#namespaces.add(socket.nsp)
    socket.nsp.prependListener('connect', this.#connected) // Which Socket.IO emits before `connection`.
  }

  /** A client may connect to a namespace twice, so a connection may have several sockets in one namespace. */
  readonly #connected = (socket: SocketLike): void => {
    const { conn } = socket
    const permission = this.#connecting.get(socket)
    if (!permission) return
    const watched = this.#watched.get(conn) ?? new Set<Permission>()
    this.#watched.set(conn, watched.add(permission))
    socket.on('disconnect', () => watched.delete(permission))
    let close = () => conn.close() // What is emitted to it by now gets nowhere.
    permission.whenRefused = (refusal) => {
      if (Object.hasOwn(refusal, 'cause')) this.#options.tell(refusal, 'authorize')
      try {
        close()
      } catch (error) {
        this.#options.tell(error, 'end') // A listener of `disconnect` threw.
      }
    }
    permission.renew()
    close = () => (this.#options.guardsServerOf(socket) ? conn.close() : void socket.disconnect())
  }

  close(): void {
    this.#options.registry.off('changed', this.#changed)
  }

  /** A session may have changed: asks again, but after the work that is going on, as `authorize` may do anything. */
  readonly #changed = (live: LiveSession): void => {
    queueMicrotask(() => {
      const watched = live.holders.flatMap((conn) => [...(this.#watched.get(conn) ?? [])])
      for (const permission of watched) if (!live.ended) permission.renew()
    })
  }

  /** Only `true` is a yes. Neither throws nor rejects. */
  ask(session: ExpressSession, handshake: HandshakeLike): Verdict | Promise<Verdict> {
    const { authorize, timeout } = this.#options
    try {
      const answer: unknown = authorize(session, handshake as AuthorizedHandshake)
      if (!isThenable(answer)) return verdictOn(answer)
      const late = () => new Error(`no answer within ${timeout} ms`)
      return this.#deadlines.limit(answer, timeout, late).then(verdictOn, failed)
    } catch (cause) {
      return failed(cause)
    }
  }
}

function verdictOn(answer: unknown): Verdict {
  return answer === true || new SessionError('ERR_SESSION_FORBIDDEN', 'authorize does not say true for this session')
}

function failed(cause: unknown): SessionError {
  return new SessionError('ERR_SESSION_FORBIDDEN', 'authorize failed, so this session is not let in', { cause })
}
