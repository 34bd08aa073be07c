/**
 * What an authorizer gets as `data`: the handshake of 0.9 and the request of 1.x and 2.x in one object. That is
 * `socket.handshake`, and what the authorizer sets on it is on `socket.request`, too.
 */
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'socket.io'

export type Handshake = Socket['handshake']
/** Null over WebTransport. */
export type Request = IncomingMessage | null | undefined

/**
 * Lets `handshake` also be read as the request: its own properties come first, so what both have (`headers`, `url`,
 * `query`) is as 0.9 had it. Inherited, not copied: what travels to other nodes are own properties.
 */
export function readAsRequest(handshake: Handshake, request: Request): void {
  if (!request || Object.getPrototypeOf(handshake) === request) return
  Object.setPrototypeOf(handshake, request)
  let response: unknown
  Object.defineProperty(handshake, 'res', {
    configurable: true,
    // By now the request may have been answered, or is a WebSocket: a middleware that an authorizer calls still wants a response.
    get: () => (response ??= unanswered(request) ?? new ServerResponse(request)),
    set: (value) => {
      response = value
    },
  })
}

/** With Socket.IO 4.6 a request keeps its response for good. */
function unanswered({ res }: IncomingMessage & { res?: ServerResponse | null }): ServerResponse | undefined {
  return res && !res.headersSent ? res : undefined
}

/** Puts on the request what was set on the handshake since it was as `before`. */
export function copyToRequest(handshake: Handshake, before: object, request: Request): void {
  if (!request) return
  for (const [key, value] of Object.entries(handshake)) {
    if (value !== (before as Record<string, unknown>)[key]) Reflect.set(request, key, value)
  }
}

/** Whether it is a client up to 2.x. */
export function isOld({ conn }: Socket): boolean {
  return conn.protocol === 3
}

/**
 * Up to 2.x a client asked for a namespace with a query, which its handshake there had beside that of the connection; Socket.IO 4
 * has it as `auth`. @param isGuarded whether an authorizer has been asked: what that has seen stays
 */
export function forNamespace(handshake: Handshake, asked: object, isGuarded: boolean): Handshake {
  if (Object.keys(asked).length === 0) return handshake
  const query = isGuarded ? { ...asked, ...handshake.query } : { ...handshake.query, ...asked }
  return { ...handshake, auth: asked, query }
}

/** `{ address, port }` of 0.9, which can also be read as the string of 1.x: `indexOf`, `replace`, `==` and `+` go on. */
class OldAddress {
  readonly address: string
  readonly port: number | undefined

  constructor(address: string, port: number | undefined) {
    this.address = address
    this.port = port
  }

  get length(): number {
    return this.address.length
  }

  toString(): string {
    return this.address
  }

  valueOf(): string {
    return this.address
  }
}
// The methods of strings work on whatever has a `toString`.
Object.setPrototypeOf(OldAddress.prototype, String.prototype)

export function giveOldAddress(handshake: Handshake, request: Request): void {
  if (typeof handshake.address !== 'string') return
  Object.assign(handshake, { address: new OldAddress(handshake.address, request?.socket?.remotePort) })
}

/** Whether two values that came as JSON are equal. Without recursion: clients choose how deep they are. */
export function isSameJSON(one: unknown, other: unknown): boolean {
  const pairs = [[one, other]]
  for (const [a, b] of pairs) {
    if (a === b) continue
    if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false
    const keys = Object.keys(a)
    if (keys.length !== Object.keys(b).length || !keys.every((key) => Object.hasOwn(b, key))) return false
    for (const key of keys) pairs.push([a[key], b[key]])
  }
  return true
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
