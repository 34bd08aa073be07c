/**
 * What happens before each event of a client reaches a handler: the session is fresh, still there, and touched. Events
 * that came before the gate opened pass in their order.
 */

import type { LiveSession } from './live-session'
import type { ResolvedOptions, Tell } from './options'

type GateOptions = Pick<ResolvedOptions, 'freshFor' | 'touch'>

/**
 * A session that ended lets no event pass. One that cannot be read now lets none pass either; the error goes to `tell`,
 * and to the socket's own `error` event.
 */
export function pass(live: LiveSession, next: (error?: Error) => void, options: GateOptions, tell: Tell): void {
  if (live.isStale(options.freshFor)) {
    live.refresh().then(
      () => passFresh(live, next, options, tell),
      (error) => live.ended || next(tell(error, 'refresh')),
    )
  } else {
    passFresh(live, next, options, tell)
  }
}

function passFresh(live: LiveSession, next: () => void, { touch }: GateOptions, tell: Tell): void {
  if (live.ended) return
  if (touch && live.wantsTouch) live.touch().catch((error) => live.ended || tell(error, 'touch'))
  next()
}
