/**
 * `node -r handshake-session/register app.js`: an old app's `require` lines get the files of this folder, and no line is
 * edited. Exact names only, so `socket.io/package.json` and the like stay what they are; and this package itself gets
 * the real ones. zappajs stays zappajs: of it one module is replaced. Nothing else is restored: of the packages that need a long-gone Node (`process.EventEmitter`, say), the
 * app's old ones are the very ones that are replaced here.
 */
import { existsSync, readFileSync } from 'node:fs'
import Module from 'node:module'
import { dirname, join, sep } from 'node:path'

/** Old package → the file of this folder that takes its place. */
const shims: Record<string, string> = {
  'express-socket.io-session': './express-socket.io-session',
  'passport.socketio': './passport.socketio',
  'session.io': './session.io',
  'session.socket.io': './session.socket.io',
  'socket.io': './socket.io',
  'socket.io-express-session': './socket.io-express-session',
  'socket.io-sessions': './socket.io-sessions',
  'socket.io-mysql-session': './socket.io-mysql-session',
  'socket.io/lib/stores/redis': './socket.io/redis-store',
}

/** How zappajs asks for its own module, which is CoffeeScript in its sources. */
const ioSession = /^\.\/io-session(\.(js|coffee|coffee\.md|litcoffee))?$/

interface Resolver {
  _resolveFilename(request: string, parent: { filename?: string | null } | null | undefined, ...rest: unknown[]): string
}

/** Everything that this package is built into. */
const ours = dirname(__dirname) + sep
const resolver = Module as unknown as Resolver
const resolveFilename = resolver._resolveFilename

resolver._resolveFilename = function (request, parent, ...rest) {
  const shim = shimFor(request, parent?.filename ?? '')
  return shim ? require.resolve(shim) : resolveFilename.call(this, request, parent, ...rest)
}

function shimFor(request: string, from: string): string | undefined {
  if (from.startsWith(ours)) return undefined
  if (Object.hasOwn(shims, request)) return shims[request]
  return ioSession.test(request) && packageOf(dirname(from)) === 'zappajs' ? './zappajs' : undefined
}

/** The name of the package that a folder is in. */
function packageOf(folder: string): unknown {
  const file = join(folder, 'package.json')
  if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name
  return dirname(folder) === folder ? undefined : packageOf(dirname(folder))
}
