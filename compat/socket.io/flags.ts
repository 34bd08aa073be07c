/**
 * What is written before `emit`, as 0.9 to 2.x had it: `json`, `binary`, `volatile`, `broadcast`, `to(room)` … in any order, and
 * `emit` gives back what the line began with, so that the next `to` is a new one.
 */
import type { BroadcastOperator, Namespace, Socket } from 'socket.io'
import { SessionError } from '../../src'
import { addLayer } from './not-there'

type Sender = Namespace | Socket
type Method = (this: object, ...args: unknown[]) => unknown

const names = ['to', 'in', 'except', 'compress', 'timeout', 'volatile', 'local', 'broadcast']
const takesRooms = ['to', 'in', 'except']
const senders = new WeakMap<object, Sender>()

/** The members of a namespace, a socket or an operator, over those of Socket.IO 4. */
export function flags(covered: object): object {
  const members: PropertyDescriptorMap = {}
  for (const name of names) {
    const { get, value } = find(covered, name) ?? {}
    if (get) members[name] = { configurable: true, get: follow(get) }
    else if (value) members[name] = method(follow(value, takesRooms.includes(name)))
  }
  const emit = find(covered, 'emit')?.value as Method
  members['emit'] = method(function (...args) {
    emit.apply(this, args)
    return senderOf(this)
  })
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(sameFlags), ...members })
}

/** They mean nothing to Socket.IO 4, which looks at the data itself. */
const sameFlags = {
  get json() {
    return this
  },
  binary() {
    return this
  },
}

function method(value: Method): PropertyDescriptor {
  return { value, configurable: true, writable: true }
}

/** Old rooms were names of properties: 5 and '5' are one room. */
export function roomNames(rooms: unknown): unknown {
  return Array.isArray(rooms) ? rooms.map(String) : String(rooms)
}

function follow(next: Method, withRooms = false): Method {
  return function (...args) {
    const result = next.apply(this, withRooms ? args.map(roomNames) : args) as object
    faceOperator(result as BroadcastOperator<never, never>, senderOf(this))
    return result
  }
}

function senderOf(object: object): Sender {
  return senders.get(object) ?? (object as Sender)
}

function faceOperator(operator: BroadcastOperator<never, never>, sender: Sender): void {
  senders.set(operator, sender)
  addLayer('operator', operator, (covered) =>
    Object.defineProperties(
      {},
      {
        ...Object.getOwnPropertyDescriptors(flags(covered)),
        ...Object.getOwnPropertyDescriptors(operatorMembers),
      },
    ),
  )
}

type Operator = BroadcastOperator<never, never>

const operatorMembers: object & ThisType<Pick<Operator, 'fetchSockets'> & { emit: Method }> = {
  get broadcast() {
    return this
  },
  send(...args: unknown[]) {
    return this.emit('message', ...args)
  },
  write(...args: unknown[]) {
    return this.emit('message', ...args)
  },
  clients(fn: TellIds) {
    if (typeof fn !== 'function') {
      throw new SessionError(
        'ERR_SESSION_OPTIONS',
        'in(room).clients: expected a function (error, ids); or write clients(room)',
      )
    }
    tellIds(this, fn)
    return senderOf(this)
  },
}

export type TellIds = (error: unknown, ids?: string[]) => void

/** `clients(fn)` of 1.4 to 2.x: the ids, of all nodes. */
export function tellIds(of: Pick<Namespace, 'fetchSockets'>, fn: TellIds): void {
  of.fetchSockets().then(
    (sockets) =>
      process.nextTick(
        fn,
        null,
        sockets.map(({ id }) => id),
      ),
    (error) => process.nextTick(fn, error),
  )
}

function find(object: object | null, name: string): PropertyDescriptor | undefined {
  if (!object) return undefined
  return Object.getOwnPropertyDescriptor(object, name) ?? find(Object.getPrototypeOf(object), name)
}
