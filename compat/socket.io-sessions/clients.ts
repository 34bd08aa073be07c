/**
 * The clients of a server: their two handshakes, their messages, and what none of them may say. How a session is worked
 * on is left to the mode; the old events are emitted here, to listeners of this process and never to the network.
 */
import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { SessionError } from '../../src/index'
import type { SessionRegistry } from '../../src/internals'
import type { Credentials } from './credentials'
import { PerConnection } from './per-connection'
import { PerMessage } from './per-message'

/** What is the same for all clients of one `enable`. */
export interface Enabled {
  readonly io: { readonly sockets: EventEmitter }
  readonly registry: SessionRegistry
  readonly credentials: Credentials
  tell(error: unknown): void
}

/** The part of a Socket.IO `Socket` that is used. */
export interface Client extends EventEmitter {
  readonly connected: boolean
  readonly request: IncomingMessage | null | undefined
  readonly conn: { close(): void }
  use(middleware: (event: unknown[], next: () => void) => void): unknown
}

/** What a mode does with a client. */
export interface Mode {
  /** The client shows a session. */
  handshake(sid: unknown): void
  /** It sends something else. */
  message(message: unknown): void
}

const ownEvents: readonly unknown[] = ['sconnection', 'smessage', 'sinvalid']

export function watchClients(io: Enabled['io'], rest: Omit<Enabled, 'io'>, perMessage: boolean): void {
  io.sockets.on('connection', (client: Client) => {
    const enabled: Enabled = { io, ...rest }
    client.use(([event], next) => {
      if (!ownEvents.includes(event)) next()
    })
    const mode: Mode = perMessage ? new PerMessage(client, enabled) : new PerConnection(client, enabled)
    client.on('connect_with_session', (data: unknown) => {
      const { __sid } = Object(data)
      if (__sid) mode.handshake(__sid)
    })
    client.on('message', (message: unknown) => {
      const { __sid, connect } = Object(message)
      if (__sid && connect) mode.handshake(__sid)
      else mode.message(message)
    })
  })
}

/** Emits one of the old events on the server; what its listeners throw is told. Resolves when their promises have. */
export async function announce(enabled: Enabled, event: string, ...args: unknown[]): Promise<void> {
  const { sockets } = enabled.io
  await callListeners(sockets, sockets.rawListeners(event), args).catch(enabled.tell)
}

/**
 * Calls listeners as `emit` would, at once and one after the other, and waits for the promises that they return.
 * @throws (rejects) the first error, after all were called and have answered
 */
export async function callListeners(emitter: EventEmitter, listeners: unknown[], args: unknown[]): Promise<void> {
  const calls = listeners.map(async (listener) => (listener as (...args: unknown[]) => unknown).apply(emitter, args))
  const outcomes = await Promise.allSettled(calls)
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

/** What went wrong with a session: told, and `sinvalid` unless it is the listeners' own or a matter of order. */
export function fail(client: Client, enabled: Enabled, error: unknown): void {
  enabled.tell(error)
  if (error instanceof SessionError && error.code !== 'ERR_SESSION_CONFLICT') announce(enabled, 'sinvalid', client)
}
