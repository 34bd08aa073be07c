/**
 * `node -r handshake-session/register app.js`: an old app's `require` lines get the files of this folder, and no line is
 * edited. Exact names only, so `socket.io/package.json` and the like stay what they are; and this package itself gets
 * the real ones. Nothing else is restored: of the packages that need a long-gone Node (`process.EventEmitter`, say), the
 * app's old ones are the very ones that are replaced here.
 */
import Module from 'node:module'
import { dirname, sep } from 'node:path'

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
  zappajs: './zappajs',
}

interface Resolver {
  _resolveFilename(request: string, parent: { filename?: string | null } | null | undefined, ...rest: unknown[]): string
}

/** Everything that this package is built into. */
const ours = dirname(__dirname) + sep
const resolver = Module as unknown as Resolver
const resolveFilename = resolver._resolveFilename

resolver._resolveFilename = function (request, parent, ...rest) {
  const shim = Object.hasOwn(shims, request) && !parent?.filename?.startsWith(ours) ? shims[request] : undefined
  return shim ? require.resolve(shim) : resolveFilename.call(this, request, parent, ...rest)
}
