/**
 * What each setting of Socket.IO 0.9 and 1.x is called today, and what to do about those that are gone.
 */
import type { ServerOptions } from 'socket.io'
import { MemoryStore } from './module-members'
import { corsOrigin } from './origins'

type Translate = (value: unknown) => Partial<ServerOptions> | undefined

/** Nothing comes out for a value that means nothing today. */
const translations: Record<string, Translate> = {
  resource: (value) => (typeof value === 'string' ? { path: value.replace(/\/$/, '') } : undefined),
  origins: (value) => ({ cors: { origin: corsOrigin(value), credentials: true } }),
  transports: (value) => option('transports', transportNames(value)),
  'heartbeat timeout': (value) => option('pingTimeout', milliseconds(value)),
  'heartbeat interval': (value) => option('pingInterval', milliseconds(value)),
  'destroy buffer size': (value) => option('maxHttpBufferSize', positive(value)),
  'browser client': (value) => ({ serveClient: Boolean(value) }),
}

const logging = 'Socket.IO logs with the debug package: start with DEBUG=socket.io*'
const client = 'the client is served minified, compressed and with an ETag in any case; remove the line'
const flash = 'Flash is gone, and browsers have WebSocket; remove the line'
const gone = 'there is no such thing any more; remove the line'

const advice: Record<string, string> = {
  log: logging,
  logger: logging,
  'log level': logging,
  'log colors': logging,
  store: 'nodes share rooms and events by an adapter: io.adapter(…), for instance @socket.io/redis-adapter',
  'client store expiration': gone,
  'close timeout': "a lost client is given up after 'heartbeat interval' plus 'heartbeat timeout'; set those",
  'polling duration': "a poll lasts until the next heartbeat; set 'heartbeat interval'",
  heartbeats: 'they are always on; remove the line',
  blacklist: gone,
  'destroy upgrade': 'pass { destroyUpgrade: … } to listen()',
  'match origin protocol': "write the protocol in 'origins', as in https://app.example.com",
  static: client,
  'browser client cache': client,
  'browser client minification': client,
  'browser client etag': client,
  'browser client expires': client,
  'browser client gzip': client,
  'browser client handler': 'serve that file by a route of your own',
  'flash policy server': flash,
  'flash policy port': flash,
}

/** Whether Socket.IO itself ever had such a setting. Apps may set others, for themselves. */
export function isOldSetting(name: string): boolean {
  return name === 'authorization' || Object.hasOwn(translations, name) || Object.hasOwn(advice, name)
}

/** The options of Socket.IO 4 for a setting; undefined where there are none. */
export function translate(name: string, value: unknown): Partial<ServerOptions> | undefined {
  return Object.hasOwn(translations, name) ? translations[name]?.(value) : undefined
}

/** What to do about a setting that has no effect today; undefined for all others. */
export function adviceOn(name: string, value: unknown): string | undefined {
  if (name === 'store' && value instanceof MemoryStore) return undefined
  if (Object.hasOwn(advice, name)) return advice[name]
  if (!Object.hasOwn(translations, name) || translate(name, value)) return undefined
  return `${JSON.stringify(value)} means nothing to Socket.IO 4; see compat/README.md`
}

function option<Name extends keyof ServerOptions>(name: Name, value: ServerOptions[Name] | undefined) {
  return value === undefined ? undefined : ({ [name]: value } as Partial<ServerOptions>)
}

/** 0.9 counted heartbeats in seconds, 1.x in ms: nobody's heart beats every 1000 s, or a thousand times a second. */
function milliseconds(value: unknown): number | undefined {
  const number = positive(value)
  return number && number < 1_000 ? number * 1_000 : number
}

function positive(value: unknown): number | undefined {
  return Number(value) > 0 ? Number(value) : undefined
}

/** Transports of all generations, by their names of today. */
const transportNow: Record<string, string | undefined> = {
  websocket: 'websocket',
  webtransport: 'webtransport',
  polling: 'polling',
  'xhr-polling': 'polling',
  'jsonp-polling': 'polling',
  htmlfile: 'polling',
}

function transportNames(value: unknown): ServerOptions['transports'] | undefined {
  const names = [value].flat().flatMap((name) => transportNow[String(name)] ?? [])
  return names.length > 0 ? ([...new Set(names)] as NonNullable<ServerOptions['transports']>) : undefined
}
