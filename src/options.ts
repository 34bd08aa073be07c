/** What `handshakeSession()` takes, in its two forms, and the defaults; the checks are in `options/`. */
import type { OnError } from './errors/tell'
import { type CookieVerifier, type Secret, Verifier } from './handshake/cookie'
import { MiddlewareVerifier, type SessionMiddleware } from './handshake/middleware'
import type { Origins } from './handshake/origin'
import { checkDurations, checkFlags, checkName, checkOrigins, checkSecrets, checkStore, fail } from './options/checks'
import { checkNames } from './options/names'
import type { Authorize } from './socket-io/authorization'
import type { Channel } from './socket-io/socket-io-like'
import type { StoreLike } from './store/record'
import type { RedisLike } from './store/redis'

/** Options of both forms. */
export interface CommonOptions {
  /**
   * Which sessions may have a socket: `(session, handshake) => Boolean(session.user)`, which may be async. Asked when a
   * client connects, and again whenever its session has changed: when it no longer says `true`, the socket is closed.
   * @default every session
   */
  authorize?: Authorize | undefined
  /**
   * `true`: no valid session, no connection. `false`: such a socket connects with `handshake.session === undefined`;
   * a store that fails still refuses, because then nobody knows. @default true
   */
  required?: boolean | undefined
  /**
   * Which origins may use the cookie besides the server's own (`Origin` equal to `Host`): `'*'` for all, an origin
   * (`'https://app.example.com'`), a RegExp, an array of those, or a function `(origin, headers) => boolean`, which may
   * be async. @default what the `cors.origin` of the attached server names (`*` names nobody: it never carries cookies)
   */
  origins?: Origins | undefined
  /** Milliseconds that the store has for an answer. @default 10_000 */
  timeout?: number | undefined
  /**
   * Milliseconds for which a read of the store is trusted. The next event of a client after that waits for a re-read;
   * writes that this process sees (HTTP requests on the same store instance) are known at once. @default 5_000
   */
  freshFor?: number | undefined
  /** Milliseconds between re-reads of a session whose sockets are idle. @default 60_000 */
  recheck?: number | undefined
  /**
   * Whether events of clients extend the session as HTTP requests do; written at most once per minute and ten times per
   * maxAge. The browser's own cookie is not extended by that: only an HTTP response can do so. @default true
   */
  touch?: boolean | undefined
  /**
   * Whether saves of express-session on this store instance, too, write only what the request changed, onto what the
   * store holds by then, so that a slow request does not overwrite what sockets wrote while it ran. @default false
   */
  mergeHttpSaves?: boolean | undefined
  /**
   * The Redis client (node-redis or ioredis) of a connect-redis 7 or 8, which hide it; then `update` is atomic across
   * processes, as it is with connect-redis 9, express-mysql-session and connect-pg-simple by themselves. @default none
   */
  redis?: RedisLike | undefined
  /**
   * For a process without a Socket.IO server (HTTP only): an `Emitter` of `@socket.io/redis-emitter`, by which the
   * servers hear at once what this process does to sessions. @default none: they notice within `recheck`
   */
  emitter?: Channel | undefined
  /** Told every refusal and every error that nobody awaits. @default writes to `debug('handshake-session')` */
  onError?: OnError | undefined
}

/** With `handshakeSession(sessionMiddleware, options)`, which knows the store, the secret and the name of the cookie. */
export interface MiddlewareOptions extends CommonOptions {
  /** What tickets are made with, by all nodes: any secret. Of an array the first makes them and all are taken. @default no tickets */
  secret?: Secret | Secret[] | undefined
}

/** With `handshakeSession({ store, secret, … })`: what `session()` has, for a process that has no such middleware. */
export interface HandshakeSessionOptions extends CommonOptions {
  /** The store instance that `express-session` got. The same object, not one like it. */
  store: StoreLike
  /** The secret of `express-session`. Of an array the first signs and all verify, so that secrets can be rotated. */
  secret: Secret | Secret[]
  /** Name of the session cookie. @default 'connect.sid' */
  name?: string | undefined
  /** Alias of `name`, as in express-session. */
  key?: string | undefined
}

/** Who a cookie is of. */
interface Credentials {
  readonly store: StoreLike
  readonly name: string
  readonly verifier: CookieVerifier
  /** For tickets. */
  readonly secrets: readonly Secret[]
}

/**
 * The options of either form as the rest of the package reads them.
 * @throws SessionError `ERR_SESSION_OPTIONS`
 */
export function resolveOptions(first: SessionMiddleware | HandshakeSessionOptions, second: MiddlewareOptions = {}) {
  if (typeof first === 'function') return { ...resolveCommon(second), ...withMiddleware(first, second) }
  return { ...resolveCommon(first), ...withSecrets(first) }
}

function withSecrets(options: HandshakeSessionOptions): Credentials {
  const store = checkStore(options.store)
  const secrets = checkSecrets(options.secret)
  return { store, name: checkName(options), verifier: new Verifier(secrets), secrets }
}

function withMiddleware(middleware: SessionMiddleware, options: MiddlewareOptions): Credentials {
  const said = (['store', 'name', 'key'] as const).find((option) => Object(options)[option] !== undefined)
  if (said) fail(said, 'none beside a session middleware', Object(options)[said], 'it has its own')
  const verifier = new MiddlewareVerifier(middleware)
  const secrets = options.secret === undefined ? [] : checkSecrets(options.secret)
  return { store: checkStore(verifier.store), name: verifier.name, verifier, secrets }
}

function resolveCommon(options: CommonOptions) {
  if (typeof options !== 'object' || options === null) {
    fail('options', 'an object { store, secret }, or what session({ … }) returned', options)
  }
  checkNames(options)
  const { authorize, origins, redis, emitter, onError } = options
  const { required = true, touch = true, mergeHttpSaves = false } = options
  const { timeout = 10_000, freshFor = 5_000, recheck = 60_000 } = options
  checkFlags({ required, touch, mergeHttpSaves })
  checkDurations({ timeout, freshFor, recheck })
  checkOrigins(origins)
  if (redis !== undefined && typeof redis?.eval !== 'function') {
    fail('redis', 'a client of redis or ioredis, with eval', typeof redis)
  }
  if (emitter !== undefined && typeof emitter?.serverSideEmit !== 'function') {
    fail('emitter', 'an emitter with serverSideEmit, as of @socket.io/redis-emitter', typeof emitter)
  }
  if (authorize !== undefined && typeof authorize !== 'function') {
    fail('authorize', 'a function (session, handshake) that returns true or false, or a promise', authorize)
  }
  if (onError !== undefined && typeof onError !== 'function') fail('onError', 'a function (error, { stage })', onError)
  return { authorize, origins, redis, emitter, onError, required, touch, mergeHttpSaves, timeout, freshFor, recheck }
}
