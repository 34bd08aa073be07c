/**
 * Puts the face of Socket.IO 0.9 on a Socket.IO 4 server: settings, authorization, old members, data on sockets. All of it
 * goes on this very server, its namespaces and its sockets; the prototypes of Socket.IO stay as they are.
 */
import type { Namespace, Server, Socket } from 'socket.io'
import { SessionError } from '../../src'
import { guardServer, isServer } from '../../src/internals'
import { checkTimeout } from '../answer'
import { appSettings } from '../app-settings'
import { Gate, namespaceGate } from './authorization'
import type { LegacyFace, LegacyNamespace, LegacyOptions, LegacyServer } from './legacy-face'
import { faceOfNamespace, faceOfServer, faceOfSocket } from './old-members'
import { type OldSettings, Settings } from './settings'
import { socketData } from './socket-data'

const legacyServers = new WeakSet<Server>()

/**
 * Gives a Socket.IO 4 server the methods of old, and returns it; a second time it changes nothing. Middlewares that the
 * server has already run before the authorization, so call this first.
 * @throws SessionError `ERR_SESSION_OPTIONS`
 */
export function legacy<S extends Server>(io: S, options: LegacyOptions = {}): LegacyFace & S {
  if (!isServer(io)) throw new SessionError('ERR_SESSION_OPTIONS', 'legacy: expected a Server of Socket.IO 4')
  if (!legacyServers.has(io)) faceServer(io, options)
  return io as LegacyFace & S
}

/** @param found settings that the server was made with */
export function faceServer(server: Server, given: LegacyOptions, found?: OldSettings): void {
  const options = { ...appSettings(), ...given }
  const timeout = checkTimeout(options.timeout)
  legacyServers.add(server)
  const io = server as LegacyServer
  const settings = new Settings(io, found)
  Object.assign(io, settingMethods(io, settings))
  faceOfServer(io, settings)
  faceNamespaces(io, timeout)
  const gate = new Gate(io, settings, { ...options, timeout })
  guardServer(io, (socket, next) => {
    faceOfSocket(socket as unknown as Socket)
    Object.assign(socket, socketData)
    gate.admit(socket as unknown as Socket).then(() => next(), next)
  })
}

function settingMethods(io: LegacyServer, settings: Settings): Partial<LegacyFace> {
  return {
    set: (...args: [key: string, value?: unknown]) => {
      if (args.length === 1) return settings.get(args[0])
      settings.set(...(args as [string, unknown]))
      return io
    },
    get: (key) => settings.get(key),
    enable: (key) => io.set(key, true),
    disable: (key) => io.set(key, false),
    enabled: (key) => Boolean(settings.get(key)),
    disabled: (key) => !settings.get(key),
    configure: (...args: [...env: string[], fn: () => void]) => {
      const [env, fn] = args.length === 1 ? [currentEnv(), args[0]] : args
      if (env === currentEnv()) (fn as () => void).call(io)
      return io
    },
  } as Partial<LegacyFace>
}

function currentEnv(): string {
  return process.env['NODE_ENV'] || 'development'
}

/** Every namespace comes out of `of`, also those that clients ask for: `of` is where all get their face. */
function faceNamespaces(io: LegacyServer, timeout: number): void {
  const of = io.of as Server['of']
  io.of = (...args) => faceNamespace(of.apply(io, args), timeout)
  for (const name of io._nsps.keys()) io.of(name)
}

function faceNamespace(namespace: Namespace, timeout: number): LegacyNamespace {
  if ('authorization' in namespace) return namespace as LegacyNamespace
  faceOfNamespace(namespace)
  return Object.assign(namespace, { authorization: namespaceGate(namespace, timeout) }) as LegacyNamespace
}
