/**
 * socket.io-mysql-session on Socket.IO 4: `io.use(socketSession({ db }))` gives each socket a session that lives in
 * MySQL and is found again by a token, for clients without cookies. The options and the middleware are here; the
 * session of a socket is `session.ts`, its row `table.ts`.
 */
import { checkTimeout } from './answer'
import { type Loaded, type Logger, Session, type Settings } from './socket.io-mysql-session/session'
import type { Database } from './socket.io-mysql-session/table'

/** 24 hours, in ms: the default of `expiration`, and what every deployment of the original had. */
const oneDay = 86_400_000
/** The longest `expiration` that is taken for seconds without a warning: a year. */
const plausible = 365 * 24 * 60 * 60

declare namespace socketSession {
  interface Options {
    /** A connection or a pool of `mysql` or `mysql2`. */
    db: Database
    /** Told what happens, with the levels `debug` and `error`; never a token, a value or the data. @default nobody */
    logger?: Logger | null | undefined
    /** How long a session lasts after its last save, in seconds; except exactly 86400000, which is 24 hours. @default 86400000 */
    expiration?: number | null | undefined
    /** The same in milliseconds, and it comes first. The table keeps whole seconds. */
    expirationMs?: number | null | undefined
    /** Milliseconds that the database has for an answer. @default 10_000 */
    timeout?: number | undefined
  }

  /** What the middleware needs of a socket. */
  interface SocketLike {
    session?: unknown
    on(event: string, listener: (params: unknown) => void): unknown
    emit(event: string, message: Loaded): unknown
  }

  type Middleware = (socket: SocketLike, next: () => void) => void
  /** What the middleware puts on `socket.session`. */
  type SocketSession = Session

  interface SocketSessionFactory {
    (options: Options): Middleware
    new (options: Options): Middleware
  }
}

/**
 * Makes the middleware; `new` makes no difference.
 * @throws Error when `db` is missing or another option is not what it should be
 * @example
 * io.use(socketSession({ db: mysql.createPool(url), expiration: 3600 }))
 */
const socketSession = function socketSession(options: socketSession.Options): socketSession.Middleware {
  const settings = resolveOptions(options)
  return (socket, next) => {
    const session = new Session(settings)
    socket.session = session
    socket.on('getToken', (params) => {
      const token = (params as { token?: unknown } | null | undefined)?.token
      session.loadSession(token, (token, errors) => socket.emit('gotToken', { token, errors }))
    })
    next()
  }
} as socketSession.SocketSessionFactory

function resolveOptions(options: socketSession.Options | undefined): Settings {
  if (!options?.db) throw new Error('Database connection must be provided through options.db')
  const logger = options.logger ?? { log: () => {} }
  const expiration = options.expiration ?? oneDay
  const expirationMs = options.expirationMs ?? inMilliseconds(expiration)
  if (typeof options.db.query !== 'function') throw new Error('options.db must be a connection or pool with query()')
  if (typeof logger.log !== 'function') throw new Error('options.logger must have a method log(level, message)')
  if (!(expirationMs > 0)) throw new Error('options.expiration (seconds) and options.expirationMs must be above 0')
  return { ...options, logger, expiration, expirationMs, timeout: checkTimeout(options.timeout) }
}

function inMilliseconds(expiration: number): number {
  if (expiration === oneDay) return oneDay
  if (expiration > plausible) {
    const years = (expiration / plausible).toFixed(1)
    process.emitWarning(`socket.io-mysql-session: expiration is in seconds, and ${expiration} are ${years} years`)
  }
  return expiration * 1000
}

export = socketSession
