/**
 * `require('socket.io')` as apps of 0.9 to 2.x write it: called, constructed, or with `listen`. What they get is a real
 * Socket.IO 4 server with the old face on (`socket.io/legacy.ts`), for clients of every generation.
 */
import { createServer as createSecureServer, type ServerOptions as SecureOptions } from 'node:https'
import { Namespace, Server as RealServer, type ServerOptions, Socket } from 'socket.io'
import { SessionError } from '../src'
import { checkInstalled } from './socket.io/installed'
import { faceServer, legacy } from './socket.io/legacy'
import type { LegacyOptions, LegacyServer } from './socket.io/legacy-face'
import { addModuleMembers } from './socket.io/module-members'
import { type OldSettings, splitOptions } from './socket.io/settings'

/** What Socket.IO 4 attaches to: an HTTP server, or a port. */
type Target = ConstructorParameters<typeof RealServer>[0] | string
/** Options of Socket.IO 4, settings of 0.9 to 2.x by their old names, and those of `legacy`. */
type Options = Partial<ServerOptions> & LegacyOptions & OldSettings

// Before the class: there would be nothing to extend.
checkInstalled()

/** A Socket.IO 4 server with the old face. `allowEIO3` is on unless `options` says otherwise: old clients are the point. */
class Server extends RealServer {
  constructor(target?: Target | Options, options: Options = {}) {
    const [attachTo, given] = isOptions(target) ? [undefined, target] : [target, options]
    const { settings, native } = splitOptions(given)
    // A `cors` object from the start, allowing nobody: `set('origins', …)` can still fill it in.
    super(attachTo as number, { allowEIO3: true, cors: { origin: false, credentials: true }, ...native })
    faceServer(this, given, settings)
  }
}

/** `require('socket.io')(server, options)`, with or without `new`. */
function socketIO(target?: Target | Options, options?: Options): LegacyServer {
  return new Server(target, options) as LegacyServer
}

/**
 * `listen` of 0.9: for a port, HTTPS if `options` have a `key`, and `ready` is called when it listens.
 * @throws SessionError `ERR_SESSION_OPTIONS` without a server or port: 0.9 took 80 then, which was rarely meant
 * @throws Error for an Express app: pass `http.createServer(app)`
 */
function listen(target: Target, options?: Options | (() => void), ready?: () => void): LegacyServer {
  if (target === undefined || target === null) {
    throw new SessionError(
      'ERR_SESSION_OPTIONS',
      'listen: expected an http.Server or a port (0.9 took port 80); got none',
    )
  }
  const [given, whenReady] = typeof options === 'function' ? [undefined, options] : [options, ready]
  const io = socketIO(isPort(target) ? serverFor(target, given) : target, given)
  if (whenReady && isPort(target)) io.httpServer.once('listening', whenReady)
  return io
}

function serverFor(port: number | string, options: Options & SecureOptions = {}): Target {
  return options.key ? createSecureServer(options).listen(Number(port)) : port
}

function isPort(target: unknown): target is number | string {
  return typeof target === 'number' || typeof target === 'string'
}

function isOptions(target: unknown): target is Options {
  return typeof target === 'object' && target !== null && !('listen' in target)
}

type ServerClass = new (...args: ConstructorParameters<typeof Server>) => LegacyServer

const [face, RealNamespace, RealSocket, OurServer] = [legacy, Namespace, Socket, Server as unknown as ServerClass]
const later = undefined
// Never true. Node finds the names that `import { … }` may take from here in the text, by this line (cjs-module-lexer).
if (Number.isNaN(0))
  module.exports = {
    listen,
    legacy: face,
    Server: OurServer,
    Namespace: RealNamespace,
    Socket: RealSocket,
    Manager: OurServer,
    MemoryStore: later,
    RedisStore: later,
    version: later,
    clientVersion: later,
    protocol: later,
    parser: later,
  }

export = addModuleMembers(
  Object.assign(socketIO, { listen, legacy, Server: OurServer, Manager: OurServer, Namespace, Socket }),
)
