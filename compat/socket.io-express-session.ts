/**
 * socket.io-express-session 0.1.3: `io.use(ios(session))` puts the Express session on the handshake, and a new one on that
 * of visitors without. All of it is `session-on-handshake.ts`, as for express-socket.io-session.
 */
import type { SessionMiddleware } from '../src'
import { type SocketMiddleware, sessionOnHandshake } from './session-on-handshake'

/**
 * @param middleware what `session({ … })` of express-session returned
 * @returns for `io.use` and `namespace.use`
 * @throws SessionError `ERR_SESSION_OPTIONS`
 */
function socketIOExpressSession(middleware: SessionMiddleware): SocketMiddleware {
  return sessionOnHandshake('socket.io-express-session', middleware).use
}

export = socketIOExpressSession
