/**
 * Connection state recovery as part of authorization. Socket.IO replays rooms, data and missed packets from the
 * constructor of `Socket`, before any middleware, to whoever knows the private id. Here the adapter hands back a
 * connection without them, and they are given back when the guard has seen that it belonged to the same session.
 */
import { randomBytes } from 'node:crypto'
import { isRoom } from '../session/room'
import { onAdapter, replaceIDs } from './private-parts'
import type { NamespaceLike, SocketLike } from './socket-io-like'

/** What an adapter kept of a lost connection (socket.io-adapter, `Session`). */
interface Stored {
  sid: string
  pid: string
  rooms: string[]
  data: object
  missedPackets: unknown[][]
}

interface Kept extends Stored {
  /** The rooms of those sessions whose guards have seen that it is theirs. */
  agreed: string[]
  /** What is stored by now. */
  again(): Promise<Stored | null | undefined>
}

/**
 * By the `data` object of the socket, which is the one thing that adapter and guard both see; once given back, by the
 * socket, as another middleware may replace its `data`.
 */
const keptBy = new WeakMap<object, Kept>()

/** Namespaces that withhold already, for however many guards. */
const watched = new WeakSet<object>()

/** From now on this namespace gives nothing back before `recover` was asked, whatever adapter it is given later. */
export function withholdRecovery(namespace: NamespaceLike): void {
  if (watched.has(namespace)) return
  watched.add(namespace)
  onAdapter(namespace, () => withhold(namespace.adapter))
  namespace.prependListener('connect', replay) // Before the app's own listeners, which may emit to it.
}

function withhold(adapter: NamespaceLike['adapter']): void {
  const restore = adapter.restoreSession
  if (typeof restore !== 'function') return
  adapter.restoreSession = async (pid, offset) => {
    const again = async () => (await restore.call(adapter, pid, offset)) as Stored | null | undefined
    const stored = await again()
    if (!stored) return stored
    const stripped: Stored = { ...stored, rooms: [], data: {}, missedPackets: [] }
    keptBy.set(stripped.data, { ...stored, again, agreed: [] })
    return stripped
  }
}

/**
 * Gives the socket its rooms and data back if it belonged to the session of `room` (undefined: to none, as now);
 * otherwise makes it a new connection, with an id that nobody knows.
 */
export function recover(socket: SocketLike, room: string | undefined): Promise<void> | void {
  const kept = keptBy.get(socket) ?? keptBy.get(socket.data)
  if (kept) return giveBack(kept, socket, room)
  if (socket.recovered) return renew(socket, []) // A middleware before the guard has replaced `data`: nobody knows whose it was.
}

function giveBack(kept: Kept, socket: SocketLike, room: string | undefined): Promise<void> | void {
  const wasGivenBack = forget(socket)
  const isOthers = (each: string) => isRoom(each) && !kept.agreed.includes(each)
  const isTheirs = room === undefined ? !kept.rooms.some(isOthers) : kept.rooms.includes(room)
  if (!isTheirs) return withdraw(kept, socket, wasGivenBack)
  if (room) kept.agreed.push(room)
  socket.data = kept.data
  keptBy.set(socket, kept)
  return socket.join(kept.rooms)
}

/** @returns whether it was given back */
function forget(socket: SocketLike): boolean {
  keptBy.delete(socket.data)
  return keptBy.delete(socket)
}

/** Once every middleware has agreed, the packets follow. */
function replay(socket: SocketLike): void {
  const kept = keptBy.get(socket)
  if (kept) resend(kept, socket)
}

/** First those that it missed, then those of the meantime. */
function resend(kept: Kept, socket: SocketLike): void {
  forget(socket)
  const asked = kept.again() // Before anything is sent: the adapter stores that as well.
  send(socket, kept.missedPackets)
  asked.then(
    (now) => send(socket, now?.missedPackets.slice(kept.missedPackets.length) ?? []),
    () => {}, // Without an answer there is no more to send than what was known.
  )
}

/** Each without the offset that the adapter put at its end: it gets a new one. */
function send(socket: SocketLike, packets: unknown[][]): void {
  for (const packet of packets) {
    const [event, ...args] = packet.slice(0, -1)
    socket.emit(String(event), ...args)
  }
}

/** Of what another guard gave back, its session's room stays. */
function withdraw({ agreed }: Kept, socket: SocketLike, wasGivenBack: boolean): Promise<void> | void {
  if (wasGivenBack) socket.nsp.adapter.delAll(socket.id) // Else there are none, or those of its owner, who is back already.
  socket.data = {}
  return renew(socket, agreed)
}

function renew(socket: SocketLike, rooms: string[]): Promise<void> | void {
  const [id, pid] = [randomBytes(15), randomBytes(15)].map((bytes) => bytes.toString('base64url')) as [string, string]
  replaceIDs(socket, id, pid)
  socket.recovered = false
  return socket.join(rooms)
}
