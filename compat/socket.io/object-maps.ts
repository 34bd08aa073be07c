/**
 * The maps of Socket.IO 4, read as the objects that they were up to 2.x: `io.sockets.sockets[id]`,
 * `Object.keys(adapter.rooms[room].sockets)`, `adapter.rooms[room].length`. They stay the very maps and sets that Socket.IO
 * made, and whatever is put in or taken out goes through here; so nothing is copied, and adapters notice nothing.
 */
import type { Namespace, Server, Socket } from 'socket.io'
import { addLayer } from './not-there'

/** An entry is a property as well, unless a member of the map itself has that name. */
function show(shown: object, key: unknown, value: unknown): void {
  if (typeof key !== 'string' || key in Object.getPrototypeOf(shown)) return
  Object.defineProperty(shown, key, { value, configurable: true, enumerable: true, writable: true })
}

function hide(shown: object, key: unknown): void {
  if (typeof key === 'string' && Object.hasOwn(shown, key)) Reflect.deleteProperty(shown, key)
}

class ObjectMap<Value> extends Map<string, Value> {
  get length(): number {
    return this.size
  }

  override set(key: string, value: Value): this {
    show(this, key, value)
    return super.set(key, value)
  }

  override delete(key: string): boolean {
    hide(this, key)
    return super.delete(key)
  }

  override clear(): void {
    for (const key of this.keys()) hide(this, key)
    super.clear()
  }
}

/** `adapter.rooms[room]`: the ids of its sockets. */
class IdSet extends Set<string> {
  get length(): number {
    return this.size
  }

  get sockets(): this {
    return this
  }

  override add(id: string): this {
    show(this, id, true)
    return super.add(id)
  }

  override delete(id: string): boolean {
    hide(this, id)
    return super.delete(id)
  }

  override clear(): void {
    for (const id of this.keys()) hide(this, id)
    super.clear()
  }
}

/** `socket.rooms` and `adapter.sids[id]`: the names of rooms, under which 1.x and 2.x had the name again; an array in 1.0. */
class RoomSet extends IdSet {
  indexOf(room: string): number {
    return [...this].indexOf(room)
  }

  override add(room: string): this {
    super.add(room)
    show(this, room, room)
    return this
  }
}

class SetMap extends ObjectMap<Set<string>> {
  protected asObject(set: Set<string>): Set<string> {
    return becomeSet(set, IdSet.prototype)
  }

  override set(key: string, value: Set<string>): this {
    return super.set(key, this.asObject(value))
  }
}

class RoomsOfSockets extends SetMap {
  protected override asObject(set: Set<string>): Set<string> {
    return becomeSet(set, RoomSet.prototype)
  }
}

function becomeSet(set: Set<string>, prototype: Set<string>): Set<string> {
  if (Object.getPrototypeOf(set) !== Set.prototype) return set
  Object.setPrototypeOf(set, prototype)
  for (const value of set) set.add(value)
  return set
}

/** Not a `Map`, or one with a class of its own (an adapter's, say): stays as it is. */
function becomeMap(map: unknown, prototype: object): void {
  if (!(map instanceof Map) || Object.getPrototypeOf(map) !== Map.prototype) return
  Object.setPrototypeOf(map, prototype)
  for (const [key, value] of map) map.set(key, value)
}

export function showNamespaces(io: Server): void {
  becomeMap(io._nsps, ObjectMap.prototype)
}

/** `sockets`, and the rooms of this adapter and of every other that the namespace may get. */
export function showSockets(namespace: Namespace): void {
  becomeMap(namespace.sockets, ObjectMap.prototype)
  let adapter = namespace.adapter
  const take = (given: Namespace['adapter']) => {
    adapter = given
    addLayer('adapter', given, () => ({}))
    // A parent of dynamic namespaces has no rooms of its own.
    becomeMap(given.rooms, SetMap.prototype)
    becomeMap(given.sids, RoomsOfSockets.prototype)
  }
  take(adapter)
  Object.defineProperty(namespace, 'adapter', { get: () => adapter, set: take, configurable: true, enumerable: true })
}

/** `client.sockets` and `client.nsps`. */
export function showClient(client: Socket['client']): void {
  const { sockets, nsps } = client as unknown as { sockets: unknown; nsps: unknown }
  becomeMap(sockets, ObjectMap.prototype)
  becomeMap(nsps, ObjectMap.prototype)
}
