/**
 * passport.socketio 3.7.0: `authorize({ … })` for `io.use` and `io.set('authorization')` puts the user of Passport on the
 * request (with `set`: on the handshake). Who has a session, and when it ends, is `handshakeSession`'s business; a session
 * without a login is refused, and where the login is another than the socket came with, the socket is closed.
 */
import { type ExpressSession, type HandshakeLike, handshakeSession, type SessionError } from '../src'
import { guardOf, isAnonymous, recover, registryOf, type SocketLike } from '../src/internals'
import { rememberLive } from './live-sessions'
import { asSessionMiddleware, parse } from './parsed-sessions'
import { Logins, messageOf, noUser, type Refusal } from './passport.socketio/logins'
import { type Accept, type Data, decide, type Options, refused, setupOf, userOf } from './passport.socketio/options'

export type { Accept, Options, PassportLike } from './passport.socketio/options'

/** For `io.use` and `namespace.use`, and for `io.set('authorization', …)`. */
export type Authorizer = (socketOrHandshake: object, accept: (error?: Error, accepted?: boolean) => void) => void

/** @throws SessionError `ERR_SESSION_OPTIONS` */
export function authorize(options: Options): Authorizer {
  const setup = setupOf(options)
  const middleware = asSessionMiddleware('passport.socketio', setup.store, setup.parser, setup.key)
  const logins = new Logins(setup.loginKey)
  // Joined for good: the old API has no close.
  const sessions = handshakeSession(middleware, { authorize: logins.isSame, onError })
  const guard = guardOf(sessions)

  const userIn = async (session: ExpressSession, data: Data): Promise<Refusal | undefined> => {
    try {
      const user = await userOf(setup, logins.of(session), data)
      if (!user) return noUser
      Reflect.set(Object(user), 'logged_in', true)
      data[setup.userProperty] = user
      return undefined
    } catch (error) {
      return { message: messageOf(error), critical: true }
    }
  }
  const decideOn = async (data: Data, handshake: HandshakeLike, opening: Promise<ExpressSession>) => {
    const { signedCookies: cookie = {} } = parse(setup.parser, { headers: handshake.headers }) ?? {}
    Object.assign(data, { cookie, sessionID: cookie[setup.key] || '' })
    const refusal = await opening.then(
      (session) => userIn(session, data),
      (error: SessionError) => logins.refusalOf(handshake, error),
    )
    if (!refusal) return decide((accept) => setup.success(data as never, accept))
    data[setup.userProperty] = { logged_in: false }
    return decide((accept) => setup.fail(data as never, refusal.message, refusal.critical, accept))
  }
  const ofSocket = async (socket: SocketLike) => {
    const guarded = new Promise<ExpressSession>((resolve, reject) =>
      guard(socket, (error) => (error ? reject(error) : resolve(socket.handshake.session as ExpressSession))),
    )
    const data = Object.assign((socket.request ?? {}) as Data, { socketio_version_1: true })
    const refusal = await decideOn(data, socket.handshake, guarded)
    // Whom `fail` lets in is nobody: nothing of a lost connection is given back.
    if (!refusal) await guarded.catch(() => recover(socket, undefined))
    return refusal
  }
  const ofHandshake = (handshake: HandshakeLike & Data) => {
    const opening = sessions.load(handshake).then((session) => {
      rememberLive(registryOf(sessions).at(session.id))
      handshake['session'] = session
      return session
    })
    return decideOn(handshake, handshake, opening)
  }
  return (given, answered) => {
    const accept = answered as Accept
    if ('conn' in given) {
      ofSocket(given as SocketLike).then(
        (refusal) => process.nextTick(accept, refusal),
        () => accept(refused),
      )
    } else {
      const answer = (error?: Error) => process.nextTick(accept, error === refused ? null : (error ?? null), !error)
      ofHandshake(given as HandshakeLike & Data).then(answer, answer)
    }
  }
}

/** Who is refused, `fail` is told. */
function onError(error: SessionError): void {
  if (!isAnonymous(error) && error.code !== 'ERR_SESSION_FORBIDDEN') process.emitWarning(error)
}

/** A Socket.IO 4 server. */
interface ServerLike<Socket> {
  readonly sockets: { readonly sockets: ReadonlyMap<string, Socket> }
}

/** The sockets of `/` whose user the filter takes; `user` is undefined where nobody was authorized. */
export function filterSocketsByUser<Socket extends { request: object | null }, User = never>(
  io: ServerLike<Socket>,
  filter: (user: User) => unknown,
): Socket[] {
  return [...io.sockets.sockets.values()].filter(({ request }) =>
    filter((request as { user: User } | null)?.user as User),
  )
}
