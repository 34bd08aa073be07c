/**
 * zappajs's io-session on Socket.IO 4: its clients ask Express for a key, show it on the socket, and from then on every
 * handler has the Express session. `bind` does that for an app that is not zappajs; the three functions under it are
 * what zappajs calls itself. Each is a file in `zappajs/`.
 */
import { SessionError, type StoreLike } from '../src'
import { checkTimeout } from './answer'
import type { EventHandler, EventMiddleware, Options } from './zappajs/context'
import { bind_middleware } from './zappajs/event-session'
import { bind_io, bind_settings } from './zappajs/key-event'
import { bind_express } from './zappajs/key-request'
import { type AppLike, OwnContext, type ServerLike, type SocketContext, type SocketLike } from './zappajs/own-context'
import { leaveStore } from './zappajs/store'

export type {
  EventContext,
  EventHandler,
  EventMiddleware,
  EventsContext,
  MiddlewareContext,
  Options,
  RoutingContext,
} from './zappajs/context'
export type { SocketContext } from './zappajs/own-context'
export { bind_express, bind_io, bind_middleware }

export interface BindOptions<S extends SocketLike = SocketLike> extends Options {
  /** An Express 4 or 5 app. */
  app: AppLike
  /** A Socket.IO 4 server; the clients of zappajs 4 to 6 need its option `allowEIO3: true`. */
  io: ServerLike<S>
  /** The store instance that `session(…)` has. */
  store: StoreLike
  /** The middleware that `session(…)` made; not needed if `app.use(session(…))` comes before. */
  session?: ((request: never, response: never, next: () => void) => unknown) | undefined
  /** @default the app's setting `zappa_prefix`, or '/zappa' */
  prefix?: string | undefined
  /** @default the app's setting `zappa_channel`, or '__local' */
  channel?: string | undefined
}

export interface Binding<S extends SocketLike = SocketLike> {
  /**
   * Handles an event of every socket that connects from now on, `connection` and `disconnect` among them. `this`, and the
   * third argument, is the event context: `session`, `socket`, `client`, `id`, `data`, `ack`. The session is saved
   * when the handler returns, or when the promise that it returned has resolved.
   */
  on(event: string, handler: EventHandler<SocketContext<S>>): void
  /** Runs around every handler that is registered after it, with the session. */
  io_use(middleware: EventMiddleware<SocketContext<S>>): void
  /** Sockets that connect from now on get no handlers; those that are there get no more sessions. */
  close(): void
}

/**
 * Lets a current Express and Socket.IO app keep serving the clients of zappajs.
 *
 * @example
 * const zappa = zappajs.bind({ app, io, store })
 * zappa.on('said', function ({ text }, ack) {
 *   this.session.said = text
 * })
 *
 * @throws SessionError `ERR_SESSION_OPTIONS`
 */
export function bind<S extends SocketLike>(options: BindOptions<S>): Binding<S> {
  const { app, io, store } = check(options)
  if (options.prefix !== undefined) app.set('zappa_prefix', options.prefix)
  if (options.channel !== undefined) app.set('zappa_channel', options.channel)
  const context = new OwnContext<S>(app, store, options.session ? [options.session] : [], options)
  const bound = { ...options, context }
  bind_settings(bound)
  bind_middleware(bound)
  bind_express(bound)
  bind_io(bound)
  io.on('connection', context.connect)
  return {
    on: (event, handler) => context.on(event, handler),
    io_use: (middleware) => context.io_use(middleware),
    close: () => {
      io.off('connection', context.connect)
      context.session_store = undefined
      leaveStore(context)
    },
  }
}

function check<S extends SocketLike>(options: BindOptions<S>): BindOptions<S> {
  const { app, io, store, session } = options
  checkTimeout(options.timeout)
  if (typeof app?.get !== 'function') fail('app', 'an Express app')
  if (typeof io?.on !== 'function') fail('io', 'a Socket.IO server')
  if (typeof store?.get !== 'function') fail('store', 'the store that session() has')
  if (session && (typeof session !== 'function' || 'Store' in session)) {
    fail('session', 'the middleware that express-session made, session({ … }), not express-session itself')
  }
  return options
}

function fail(option: string, expected: string): never {
  throw new SessionError('ERR_SESSION_OPTIONS', `zappajs.bind: ${option}: expected ${expected}`)
}
