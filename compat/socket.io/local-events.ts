/**
 * Events that a namespace or a socket emits to listeners of this process alone, as 1.x and 2.x had it. Packages of that time find
 * the list as `io.sockets.constructor.events`, and add theirs.
 */
import { EventEmitter } from 'node:events'

type Emit = (this: EventEmitter, event: string, ...args: unknown[]) => unknown

/** Socket.IO 4 throws at these. `error` is not among them: 0.9 sent it, as 4 does. */
export const socketEvents = ['connect', 'disconnect', 'disconnecting', 'newListener', 'removeListener']
export const namespaceEvents = ['connect', 'connection', 'newListener']

/** @param emit for all other events */
export function localEvents(covered: object, emit: Emit, events: string[]): object {
  const Covered = covered.constructor as new (...args: unknown[]) => object
  return {
    constructor: class extends Covered {
      static readonly events = events
    },
    emit(this: EventEmitter, event: string, ...args: unknown[]) {
      if (!events.includes(event)) return emit.call(this, event, ...args)
      EventEmitter.prototype.emit.call(this, event, ...args)
      return this
    },
  }
}
