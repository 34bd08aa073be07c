/**
 * socket.io-sessions on Socket.IO 4: `enable` adds the events `sconnection`, `smessage` and `sinvalid`, in all three
 * generations of its signature, and serves the script that pages include. Arguments and wiring are here; which session
 * a client has shown is `credentials.ts`, the two modes are `per-connection.ts` and `per-message.ts`.
 */
import { randomBytes } from 'node:crypto'
import createDebug from 'debug'
import { type Secret, SessionError, type StoreLike } from '../src/index'
import { isAnonymous, isServer, SessionRegistry } from '../src/internals'
import { checkTimeout } from './answer'
import { watchClients } from './socket.io-sessions/clients'
import { type CookieReader, readSigned, trustCutter, useParser } from './socket.io-sessions/cookie-reader'
import { Credentials } from './socket.io-sessions/credentials'
import type { Enabled } from './socket.io-sessions/old-events'
import { type ScriptServer, serveScript } from './socket.io-sessions/script'

const debug = createDebug('handshake-session:socket.io-sessions')

/** Encrypts the tokens of apps that give no secret: they are good in this process only. */
const ownSecret = randomBytes(32)

/** As the original had it, for apps that look. */
export const version = '0.6.1'

export interface Options {
  /** A unit of work for each message (`smessage`) instead of one from connect to disconnect. @default false */
  per_message?: unknown
  /** The secret of `session()`: verifies cookies and `s:…` ids, encrypts tokens. @default one of this process, for tokens alone */
  secret?: Secret | Secret[]
  /** Name of the session cookie. @default 'connect.sid' */
  name?: string
  /** Whether a client may show the bare session id. Said explicitly, the script contains it, too. @default true with `(socket, store, options)`, else false */
  rawSid?: boolean
  /** Whether what the client shows must be the session of its handshake's own cookie. @default false */
  matchCookie?: boolean
  /** Milliseconds that the store has for an answer. @default 10_000 */
  timeout?: number
  /** Told every failure and every refusal. @default a process warning for failures, debug output for refusals */
  onError?: (error: unknown) => void
  /** Connect's or Express's `cookieParser()`. Comes before `cutter`. */
  parser?: Parameters<typeof useParser>[0]
  /** Gives the session id of a request. */
  cutter?: Parameters<typeof trustCutter>[0]
}

/** The one argument since 0.5. Of `parser`, `cutter` and `secret` one is needed. */
export interface EnableArguments<Manager> extends Options {
  /** The Socket.IO server. */
  socket: Manager
  /** The store of `session()`: the same instance. */
  store: StoreLike
}

/**
 * Enables session handling; returns the server that it was given.
 *
 * @example
 * sio.enable({ socket: io, store: store, parser: cookieParser(secret) }).on('sconnection', function (client, session) {})
 *
 * @throws Error `Not a valid socket!`, `No session store provided!`, `No cookie handler provided!`
 */
export function enable<Manager>(socket: Manager, store: StoreLike, options?: Options | null): Manager
export function enable<Manager>(args: EnableArguments<Manager>): Manager
export function enable(...given: [unknown, StoreLike?, (Options | null)?]): unknown {
  const isFirstGeneration = given.length >= 2
  const args = (isFirstGeneration ? { ...given[2], socket: given[0], store: given[1] } : (given[0] ?? {})) as Partial<
    EnableArguments<unknown>
  >
  if (!isServer(args.socket)) throw new Error('Not a valid socket!')
  if (!args.store) throw new Error('No session store provided!')
  const reader = cookieReader(args)
  if (!reader && (args.matchCookie || !isFirstGeneration)) throw new Error('No cookie handler provided!')

  const registry = SessionRegistry.join(args.store, { mergeHttpSaves: true, timeout: checkTimeout(args.timeout) })
  const tell = teller(args.onError)
  const credentials = new Credentials({
    registry,
    reader,
    secrets: secretsOf(args, [ownSecret]),
    rawSid: args.rawSid ?? isFirstGeneration,
    matchCookie: args.matchCookie === true,
  })
  const io = args.socket as unknown as Enabled['io']
  watchClients({ io, registry, credentials, tell }, Boolean(args.per_message))
  const tokenFor = isFirstGeneration ? undefined : credentials.forScript(args.rawSid === true)
  serveScript(args.socket as unknown as ScriptServer, tokenFor, tell)
  if (isFirstGeneration) Object.assign(args.socket, { load_session_per_message: args.per_message || false })
  return args.socket
}

function cookieReader(args: Options): CookieReader | undefined {
  const { parser, cutter, secret, name = 'connect.sid' } = args
  const secrets = secretsOf(args, [])
  if (typeof parser === 'function') return useParser(parser, name, secrets)
  if (typeof cutter === 'function') return trustCutter(cutter, secrets)
  return secret === undefined ? undefined : readSigned(name, secrets)
}

function secretsOf({ secret }: Options, byDefault: Secret[]): Secret[] {
  return secret === undefined ? byDefault : [secret].flat()
}

/** That a client has no session is everyday life; all else is somebody's mistake, and must be seen. */
function warn(error: unknown): void {
  if (error instanceof SessionError && isAnonymous(error)) debug('%s: %s', error.code, error.message)
  else process.emitWarning(error instanceof Error ? error : new Error(`a listener threw ${String(error)}`))
}

/** Tells errors, and survives what the app's own function throws. */
function teller(onError: (error: unknown) => void = warn): (error: unknown) => void {
  return (error) => {
    try {
      onError(error)
    } catch (thrown) {
      debug('onError itself threw: %o', thrown)
    }
  }
}
