/**
 * `socket.set`, `get`, `has` and `del` of 0.9: data of a connection, shared by its namespaces, gone with it. Callbacks
 * come at once, as they did with the store in memory.
 */
import type { Socket } from 'socket.io'

type Values = Record<string, unknown>
type Callback<Result> = (error: null, result: Result) => void

/** What sockets of a legacy server have. All return the socket. */
export interface SocketData {
  set(key: string, value: unknown, callback?: (error: null) => void): this
  /** Gives `null` where nothing was set. */
  get(key: string, callback?: Callback<unknown>): this
  has(key: string, callback?: Callback<boolean>): this
  del(key: string, callback?: (error: null) => void): this
}

const connections = new WeakMap<object, Values>()

/** Own keys only: a prototype would make `has('toString')` true. */
function valuesOf({ conn }: Socket): Values {
  const values = connections.get(conn) ?? (Object.create(null) as Values)
  connections.set(conn, values)
  return values
}

/** One set of functions for all sockets: `this` is the socket. */
export const socketData: SocketData & ThisType<Socket & SocketData> = {
  set(key, value, callback) {
    valuesOf(this)[key] = value
    callback?.(null)
    return this
  },
  get(key, callback) {
    callback?.(null, valuesOf(this)[key] ?? null)
    return this
  },
  has(key, callback) {
    callback?.(null, key in valuesOf(this))
    return this
  },
  del(key, callback) {
    delete valuesOf(this)[key]
    callback?.(null)
    return this
  },
}
