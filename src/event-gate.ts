/**
 * What happens before each event of a client reaches a handler: the session is fresh, still there, and touched. Events
 * that came before the gate opened pass in their order.
 */

import type { LiveSession } from './live-session'
import type { Stage } from './options'

/** The part of a Socket.IO `Socket` that is used. */
export interface EventSource {
  use(middleware: (event: unknown[], next: (error?: Error) => void) => void): unknown
}

export interface GateOptions {
  readonly freshFor: number
  readonly touch: boolean
}

/**
 * A session that ended lets no event pass. One that cannot be read now lets none pass either; the error goes to `tell`,
 * and to the socket's own `error` event.
 */
export function gateEvents(
  socket: EventSource,
  live: LiveSession,
  options: GateOptions,
  tell: (error: unknown, stage: Stage) => Error,
): void {
  const pass = (next: () => void) => {
    if (live.ended) return
    if (options.touch && live.wantsTouch) live.touch().catch((error) => live.ended || tell(error, 'touch'))
    next()
  }
  socket.use((_event, next) => {
    if (!live.isStale(options.freshFor)) return pass(next)
    live.refresh().then(
      () => pass(next),
      (error) => live.ended || next(tell(error, 'refresh')),
    )
  })
}
