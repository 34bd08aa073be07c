/**
 * Members that servers, namespaces, sockets and clients had up to 2.x, in the terms of Socket.IO 4. What they show is of this
 * node, as it was. `not-there.ts` has the rest.
 */
import { EventEmitter } from 'node:events'
import createDebug from 'debug'
import type { Namespace, Server, Socket } from 'socket.io'
import { flags, roomNames, type TellIds, tellIds } from './flags'
import type { LegacyNamespace, LegacyServer, LegacySocket, Log } from './legacy-face'
import { localEvents, namespaceEvents, socketEvents } from './local-events'
import { addLayer } from './not-there'
import { showClient, showNamespaces, showSockets } from './object-maps'
import type { Settings } from './settings'
import { socketElsewhere } from './socket-elsewhere'

type Method = (this: unknown, ...args: unknown[]) => unknown
type Covered = Record<string, Method>

const debug = createDebug('socket.io:log')
const ownLog: Log = { debug, error: debug, info: debug, warn: debug }

export function faceOfServer(io: LegacyServer, settings: Settings): void {
  showNamespaces(io)
  addLayer('server', io, () => members(serverMembers))
  Object.defineProperty(io, 'log', { get: () => settings.get('logger') ?? ownLog, configurable: true })
  Object.defineProperty(io, 'settings', { get: () => settings.all(), configurable: true })
}

export function faceOfNamespace(namespace: Namespace): void {
  showSockets(namespace)
  addLayer('namespace', namespace, (covered) => members(withFlags(covered, namespaceEvents), common, namespaceMembers))
}

export function faceOfSocket(socket: Socket): void {
  addLayer('socket', socket, (covered) =>
    members(withFlags(covered, socketEvents), common, roomMembers(covered as Covered), socketMembers),
  )
  showClient(socket.client)
  addLayer('client', socket.client, () => clientMembers)
}

function withFlags(covered: object, events: string[]): object {
  const found = flags(covered) as { emit: Method }
  return members(found, localEvents(covered, found.emit, events))
}

function members(...parts: object[]): object {
  return Object.defineProperties({}, Object.assign({}, ...parts.map((part) => Object.getOwnPropertyDescriptors(part))))
}

const serverMembers: object & ThisType<LegacyServer> = {
  get nsps() {
    return this._nsps
  },
  get namespaces() {
    return Object.fromEntries([...this._nsps].map(([name, namespace]) => [oldName(name), namespace]))
  },
  get server() {
    return this.httpServer
  },
  get connected() {
    return this.sockets.sockets
  },
  get handshaken() {
    return ofSockets(this, ({ handshake }) => handshake)
  },
  get transports() {
    return ofSockets(this, ({ conn }) => conn.transport)
  },
  /** Names as 0.9 had them: `''` is everybody, `'/room'` a room of the main namespace, `'/chat/room'` one of another. */
  get rooms() {
    return Object.fromEntries(
      [...this._nsps.values()].flatMap((namespace) => [
        [oldName(namespace.name), [...namespace.sockets.keys()]],
        ...roomsOf(namespace).map(([room, ids]) => [`${oldName(namespace.name)}/${room}`, [...ids]]),
      ]),
    )
  },
  get roomClients() {
    return ofSockets(this, (socket) =>
      Object.fromEntries([['', true], ...joined(socket).map((room) => [`/${room}`, true])]),
    )
  },
  get json() {
    return this.sockets
  },
  binary() {
    return this.sockets
  },
  clients(of?: string | TellIds) {
    return this.sockets.clients(of as never)
  },
  origins(value?: unknown) {
    if (value === undefined) return this.get('origins')
    return this.set('origins', value)
  },
}

const common: object & ThisType<Namespace> = {
  get manager() {
    return this.server
  },
  get log() {
    return (this.server as LegacyServer).log
  },
  $emit(...args: [string, ...unknown[]]) {
    return EventEmitter.prototype.emit.apply(this, args)
  },
}

const namespaceMembers: object & ThisType<LegacyNamespace> = {
  get connected() {
    return this.sockets
  },
  clients(of?: string | TellIds) {
    if (typeof of !== 'function') return clientsOf(this, of)
    tellIds(this, of)
    return this
  },
  socket(id: string) {
    return this.sockets.get(id) ?? socketElsewhere(this, id)
  },
}

const socketMembers: object & ThisType<LegacySocket> = {
  get namespace() {
    return this.nsp
  },
  get transport() {
    return this.conn.transport?.name
  },
  get readable() {
    return this.connected
  },
  get store() {
    return this
  },
}

const clientMembers: object & ThisType<Socket['client']> = {
  disconnect() {
    const { sockets } = this as unknown as { sockets: Map<string, Socket> }
    for (const socket of [...sockets.values()]) socket.disconnect()
    this.conn.close()
  },
}

/** `join` and `leave` call back, and chain. */
function roomMembers({ join, leave }: Covered): object {
  const thenCall = (act: Method | undefined) =>
    function (this: Socket, rooms: unknown, done?: unknown) {
      const result = act?.call(this, roomNames(rooms))
      if (typeof done !== 'function') return this
      Promise.resolve(result).then(
        () => process.nextTick(done as () => void, null),
        (error) => process.nextTick(done as () => void, error),
      )
      return this
    }
  return { join: thenCall(join), leave: thenCall(leave) }
}

function clientsOf({ sockets, adapter }: Namespace, room?: string): Socket[] {
  if (room === undefined || room === null || room === '') return [...sockets.values()]
  return [...(adapter.rooms.get(String(room)) ?? [])].flatMap((id) => sockets.get(id) ?? [])
}

function ofSockets<Value>(io: Server, show: (socket: Socket) => Value): Record<string, Value> {
  return Object.fromEntries([...io.sockets.sockets].map(([id, socket]) => [id, show(socket)]))
}

/** Without the room that each socket has for itself since 1.0. */
function roomsOf({ adapter, sockets }: Namespace): [string, Set<string>][] {
  return [...(adapter.rooms ?? [])].filter(([room]) => !sockets.has(room))
}

function joined({ rooms, id }: Socket): string[] {
  return [...rooms].filter((room) => room !== id)
}

function oldName(name: string): string {
  return name === '/' ? '' : name
}
