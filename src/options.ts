/**
 * The options of `handshakeSession()`: their defaults, and checks that say what was expected, what came and how to
 * mend it.
 */
import { types } from 'node:util'
import { SessionError, type Stage } from './errors'
import type { Secret } from './handshake/cookie'
import { type Origins, parseURL } from './handshake/origin'
import type { Channel } from './socket-io/socket-io-like'
import type { StoreLike } from './store/record'
import type { RedisLike } from './store/redis'

/** The longest time that Node's timers know, in ms: 24 days. */
const longest = 2 ** 31 - 1

export interface HandshakeSessionOptions {
  /** The store instance that `express-session` got. The same object, not one like it. */
  store: StoreLike
  /** The secret of `express-session`. Of an array the first signs and all verify, so that secrets can be rotated. */
  secret: Secret | Secret[]
  /** Name of the session cookie. @default 'connect.sid' */
  name?: string | undefined
  /** Alias of `name`, as in express-session. */
  key?: string | undefined
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
  onError?: ((error: SessionError, context: { stage: Stage }) => void) | undefined
}

/**
 * The options as the rest of the package reads them.
 * @throws SessionError `ERR_SESSION_OPTIONS`
 */
export function resolveOptions(options: HandshakeSessionOptions) {
  if (typeof options !== 'object' || options === null) {
    fail('options', 'an object { store, secret }', options, 'pass the same object to session() and handshakeSession()')
  }
  const { store, secret, origins, redis, emitter, onError } = options
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
  if (onError !== undefined && typeof onError !== 'function') fail('onError', 'a function (error, { stage })', onError)
  const checked = { store: checkStore(store), secrets: checkSecrets(secret), name: checkName(options) }
  const given = { origins, redis, emitter, onError }
  return { ...checked, ...given, required, touch, mergeHttpSaves, timeout, freshFor, recheck }
}

function checkFlags(flags: Record<string, unknown>): void {
  for (const [option, value] of Object.entries(flags)) {
    if (typeof value !== 'boolean') fail(option, 'true or false', value)
  }
}

/** `freshFor: 0` is sensible (ask before every event), `timeout: 0` is not. */
function checkDurations(durations: Record<string, unknown>): void {
  for (const [option, value] of Object.entries(durations)) {
    const least = option === 'freshFor' ? 0 : 1
    if (typeof value === 'number' && value >= least && value <= longest) continue
    fail(option, `milliseconds from ${least} to ${longest}`, value)
  }
}

/** An origin must be written as browsers send it. */
function checkOrigins(origins: Origins | undefined): void {
  if (origins === undefined || typeof origins === 'function' || origins === '*') return
  for (const rule of [origins].flat()) {
    if (rule instanceof RegExp || rule === 'null') continue
    if (typeof rule !== 'string') fail('origins', "'*', an origin, a RegExp, an array of them, or a function", rule)
    if (parseURL(rule)?.origin === rule) continue
    fail('origins', 'an origin as in `https://app.example.com`', rule, 'no path, no slash')
  }
}

function checkStore(store: StoreLike): StoreLike {
  const missing = (['get', 'set', 'destroy'] as const).find((method) => typeof store?.[method] !== 'function')
  if (!missing) return store
  const came = store === null ? null : typeof store
  const mend = 'create one, for instance `const store = new session.MemoryStore()`, and pass it to session() and to '
  fail('store', 'an express-session store with get, set and destroy', came, `${mend}handshakeSession()`)
}

function checkSecrets(secret: Secret | Secret[]): readonly Secret[] {
  const secrets = [secret].flat()
  if (secrets.length === 0) fail('secret', 'at least one secret', 'an empty array')
  for (const each of secrets) {
    if (isSecret(each)) continue
    const came = each === '' ? each : typeof each // Not its value, which somebody may take for a secret.
    fail('secret', 'a string, Buffer or secret KeyObject, or an array of them', came, 'pass the secret of session()')
  }
  return secrets
}

function isSecret(value: unknown): boolean {
  if (typeof value === 'string') return value !== ''
  return ArrayBuffer.isView(value) ? value.byteLength > 0 : types.isKeyObject(value) && value.type === 'secret'
}

function checkName(options: HandshakeSessionOptions): string {
  const { name = options.key, key = name } = options
  if (name !== key)
    fail('name', 'one name', 'a different one in `key`', '`key` is an alias of `name`: give one of them')
  const chosen = name ?? 'connect.sid'
  if (typeof chosen !== 'string' || chosen === '') fail('name', 'the name of the session cookie', chosen)
  return chosen
}

function fail(option: string, expected: string, actual: unknown, mend = ''): never {
  const came = describe(actual)
  throw new SessionError('ERR_SESSION_OPTIONS', `${option}: expected ${expected}, got ${came}${mend && `; ${mend}`}`)
}

function describe(value: unknown): string {
  if (typeof value === 'string') return value || "''"
  return typeof value === 'number' || value === null ? String(value) : typeof value
}
