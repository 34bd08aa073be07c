/**
 * The old events `sconnection`, `smessage` and `sinvalid`: emitted to listeners of this process, never to the network;
 * the promises that listeners return are waited for, and what they throw is told.
 */
import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { SessionError } from '../../src/index'
import type { SessionRegistry } from '../../src/internals'
import type { Credentials } from './credentials'

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
