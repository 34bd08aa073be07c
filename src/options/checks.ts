/** The checks of single options: each says what was expected, what came and how to mend it. */
import { types } from 'node:util'
import { SessionError } from '../errors'
import type { Secret } from '../handshake/cookie'
import { type Origins, parseURL } from '../handshake/origin'
import type { StoreLike } from '../store/record'

/** The longest time that Node's timers know, in ms: 24 days. */
const longest = 2 ** 31 - 1

export function checkFlags(flags: Record<string, unknown>): void {
  for (const [option, value] of Object.entries(flags)) {
    if (typeof value !== 'boolean') fail(option, 'true or false', value)
  }
}

/** `freshFor: 0` is sensible (ask before every event), `timeout: 0` is not. */
export function checkDurations(durations: Record<string, unknown>): void {
  for (const [option, value] of Object.entries(durations)) {
    const least = option === 'freshFor' ? 0 : 1
    if (typeof value === 'number' && value >= least && value <= longest) continue
    fail(option, `milliseconds from ${least} to ${longest}`, value)
  }
}

/** An origin must be written as browsers send it. */
export function checkOrigins(origins: Origins | undefined): void {
  if (origins === undefined || typeof origins === 'function' || origins === '*') return
  for (const rule of [origins].flat()) {
    if (rule instanceof RegExp || rule === 'null') continue
    if (typeof rule !== 'string') fail('origins', "'*', an origin, a RegExp, an array of them, or a function", rule)
    if (parseURL(rule)?.origin === rule) continue
    fail('origins', 'an origin as in `https://app.example.com`', rule, 'no path, no slash')
  }
}

export function checkStore(store: StoreLike): StoreLike {
  const missing = (['get', 'set', 'destroy'] as const).find((method) => typeof store?.[method] !== 'function')
  if (!missing) return store
  const came = store === null ? null : typeof store
  const mend = 'create one, for instance `const store = new session.MemoryStore()`, and pass it to session() and to '
  fail('store', 'an express-session store with get, set and destroy', came, `${mend}handshakeSession()`)
}

export function checkSecrets(secret: Secret | Secret[]): readonly Secret[] {
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

export function checkName(options: { name?: string | undefined; key?: string | undefined }): string {
  const { name = options.key, key = name } = options
  if (name !== key)
    fail('name', 'one name', 'a different one in `key`', '`key` is an alias of `name`: give one of them')
  const chosen = name ?? 'connect.sid'
  if (typeof chosen !== 'string' || chosen === '') fail('name', 'the name of the session cookie', chosen)
  return chosen
}

export function fail(option: string, expected: string, actual: unknown, mend = ''): never {
  const came = describe(actual)
  throw new SessionError('ERR_SESSION_OPTIONS', `${option}: expected ${expected}, got ${came}${mend && `; ${mend}`}`)
}

function describe(value: unknown): string {
  if (typeof value === 'string') return value || "''"
  return typeof value === 'number' || value === null ? String(value) : typeof value
}
