/**
 * What Socket.IO 0.9 to 2.x had and this face has not. Whoever uses one of these is told what to write instead; compat/README.md
 * has the same table. An app may put something of its own under such a name.
 */
import { SessionError } from '../../src'

export type Part = 'adapter' | 'client' | 'module' | 'namespace' | 'server' | 'socket'

const inside = 'an inner part that apps had no need of; nothing takes its place'
const pending = 'an inner part; chain `to(room)` and the flags on one line, before `emit`'

/** Whose it was, its names, what to write instead. */
export const notThere: readonly (readonly [Part, readonly string[], string])[] = [
  ['module', ['Static'], 'serve files by a route of your own, as `express.static`'],
  ['module', ['Store'], 'data of a socket: `socket.set` and `socket.get`; of nodes: an adapter, by `io.adapter(…)`'],
  ['module', ['Transport'], 'set `transports` to the names of those you want'],
  ['server', ['static'], 'serve files by a route of your own, as `express.static`'],
  ['server', ['store'], 'data of a socket: `socket.set` and `socket.get`; of nodes: an adapter, by `io.adapter(…)`'],
  ['server', ['initStore'], '`io.adapter(…)`'],
  ['server', ['open', 'closed'], '`io.connected`, or `socket.connected`'],
  ['server', ['generateId'], '`io.engine.generateId`'],
  ['server', ['authorize', 'handshakeData'], "`io.set('authorization', fn)`, or `io.use(fn)`"],
  ['server', ['checkRequest', 'verifyOrigin'], "`io.set('origins', …)`, or the option `allowRequest`"],
  ['server', ['checkNamespace'], '`io.of(fn)` decides which namespaces there are'],
  ['server', ['handleClient', 'handleHandshake', 'handleHTTPRequest', 'handleRequest'], '`io.engine.handleRequest`'],
  ['server', ['handleUpgrade'], '`io.engine.handleUpgrade`'],
  ['server', ['handlePacket', 'garbageCollection', 'oldListeners', 'sequenceNumber', 'serveMap'], inside],
  [
    'server',
    ['onClientDisconnect', 'onClientDispatch', 'onClientMessage'],
    "`socket.on('disconnect', fn)`, `socket.on(event, fn)`",
  ],
  [
    'server',
    ['onClose', 'onConnect', 'onDisconnect', 'onDispatch', 'onHandshake', 'onJoin', 'onLeave', 'onOpen'],
    inside,
  ],
  ['server', ['parser'], '`io.encoder`, or the option `parser`'],
  ['namespace', ['store'], 'data of a socket: `socket.set` and `socket.get`; of nodes: an adapter, by `io.adapter(…)`'],
  ['namespace', ['auth', 'authorize'], '`namespace.authorization(fn)`, or `namespace.use(fn)`'],
  ['namespace', ['fns', 'ids', 'handleDisconnect', 'handlePacket', 'packet', 'add', 'remove'], inside],
  ['namespace', ['initAdapter'], '`io.adapter(…)`'],
  ['namespace', ['flags', 'rooms', 'setFlags'], pending],
  ['socket', ['error'], '`socket.emit` with an event of your own; `next(error)` in `io.use`'],
  ['socket', ['onclose', 'onDisconnect'], "`socket.on('disconnect', fn)`"],
  ['socket', ['onconnect', 'onerror', 'onpacket', 'ackPackets'], inside],
  ['socket', ['setFlags'], pending],
  ['client', ['connectBuffer', 'packet', 'remove'], inside],
  ['adapter', ['add'], '`socket.join(room)`'],
  ['adapter', ['clients'], '`io.in(room).clients(fn)`'],
  ['adapter', ['clientRooms'], '`socket.rooms`'],
]

/** The members of `part` that say so. None hides what the object has. */
export function refusals(part: Part, has: object): PropertyDescriptorMap {
  const rows = notThere.filter(([of]) => of === part)
  const names = rows.flatMap(([, names, instead]) => names.map((name) => [name, instead] as const))
  return Object.fromEntries(
    names.filter(([name]) => !(name in has)).map(([name, instead]) => [name, refusal(part, name, instead)]),
  )
}

function refusal(part: Part, name: string, instead: string): PropertyDescriptor {
  return {
    configurable: true,
    get() {
      throw new SessionError(
        'ERR_SESSION_OPTIONS',
        `socket.io: ${part}.${name} is not there on Socket.IO 4: ${instead}`,
      )
    },
    set(value) {
      Object.defineProperty(this, name, { value, configurable: true, enumerable: true, writable: true })
    },
  }
}

const layers = new Map<Part | 'operator', WeakMap<object, object>>()
const known = new WeakSet<object>()

/**
 * Puts a layer over the prototype of an object, one for all objects of a kind: Socket.IO's own prototypes stay as they are.
 * @param make the members, from those that they cover
 */
export function addLayer(kind: Part | 'operator', object: object, make: (covered: object) => object): void {
  const covered = Object.getPrototypeOf(object)
  if (known.has(covered)) return
  const ofKind = layers.get(kind) ?? new WeakMap<object, object>()
  layers.set(kind, ofKind)
  const layer = ofKind.get(covered) ?? build(kind, object, covered, make)
  ofKind.set(covered, layer)
  known.add(layer)
  Object.setPrototypeOf(object, layer)
}

function build(kind: Part | 'operator', object: object, covered: object, make: (covered: object) => object): object {
  const members = Object.getOwnPropertyDescriptors(make(covered))
  for (const member of Object.values(members)) member.enumerable = false
  const layer = Object.create(covered, members)
  return kind === 'operator'
    ? layer
    : Object.defineProperties(layer, refusals(kind, Object.create(layer, Object.getOwnPropertyDescriptors(object))))
}
