/**
 * Connection state recovery as part of authorization. Socket.IO replays rooms, data and missed packets from the
 * constructor of `Socket`, before any middleware, to whoever knows the private id. Here the adapter hands back a
 * connection without them, and they are given back when the guard has seen that it belonged to the same session.
 */
import { randomBytes } from 'node:crypto'
import { isRoom } from './room'

/** What an adapter kept of a lost connection (socket.io-adapter, `Session`). */
interface Kept {
  sid: string
  pid: string
  rooms: string[]
  data: object
  missedPackets: unknown[][]
}

interface RecoverableNamespace {
  adapter: { restoreSession?(pid: string, offset: string): Promise<unknown> }
  on(event: 'connection', listener: (socket: RecoverableSocket) => void): unknown
  _preConnectSockets?: Map<string, unknown>
}

export interface RecoverableSocket {
  id: string
  recovered?: boolean
  data: object
  nsp: RecoverableNamespace
  join(rooms: string | string[]): Promise<void> | void
  emit(event: string, ...args: unknown[]): unknown
}

/** By the `data` object of the socket, which is the one thing that adapter and guard both see. */
const keptBy = new WeakMap<object, Kept>()

/** Adapters that withhold already, for however many guards. */
const watched = new WeakSet<object>()

/** From now on this namespace gives nothing back before `recover` was asked. */
export function withholdRecovery(namespace: RecoverableNamespace): void {
  const { adapter } = namespace
  const restore = adapter.restoreSession
  if (typeof restore !== 'function' || watched.has(adapter)) return
  watched.add(adapter)
  adapter.restoreSession = async (pid, offset) => {
    const kept = (await restore.call(adapter, pid, offset)) as Kept | null | undefined
    if (!kept) return kept
    const stripped: Kept = { ...kept, rooms: [], data: {}, missedPackets: [] }
    keptBy.set(stripped.data, kept)
    return stripped
  }
  namespace.on('connection', replay)
}

/** Middlewares decide about recovered connections as well. */
export function neverSkipMiddlewares(io: unknown): void {
  const { connectionStateRecovery } = Object(Object(io).opts) as {
    connectionStateRecovery?: { skipMiddlewares?: boolean }
  }
  if (connectionStateRecovery) connectionStateRecovery.skipMiddlewares = false
}

/**
 * Gives the socket its rooms and data back if it belonged to the session of `room` (undefined: to none, as now);
 * otherwise makes it a new connection, with an id that nobody knows.
 */
export async function recover(socket: RecoverableSocket, room: string | undefined): Promise<void> {
  const kept = keptBy.get(socket.data)
  if (!kept) return
  keptBy.delete(socket.data)
  if (kept.rooms.find(isRoom) !== room) return renew(socket)
  socket.data = kept.data
  if (kept.missedPackets.length > 0) keptBy.set(socket.data, kept)
  await socket.join(kept.rooms)
}

/** Once every middleware has agreed, the packets follow, each without the offset that the adapter put at its end. */
function replay(socket: RecoverableSocket): void {
  const kept = keptBy.get(socket.data)
  if (!kept) return
  keptBy.delete(socket.data)
  for (const packet of kept.missedPackets) {
    const [event, ...args] = packet.slice(0, -1)
    socket.emit(String(event), ...args)
  }
}

function renew(socket: RecoverableSocket): void {
  const connecting = socket.nsp._preConnectSockets
  connecting?.delete(socket.id)
  const [id, pid] = [randomBytes(15).toString('base64url'), randomBytes(15).toString('base64url')]
  Object.assign(socket, { id, pid, recovered: false })
  connecting?.set(socket.id, socket)
}
