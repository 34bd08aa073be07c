/**
 * The clients of a server: their two handshakes, their messages, and what none of them may say. How a session is worked
 * on is left to the mode, `per-connection.ts` or `per-message.ts`.
 */
import { shownIn } from './credentials'
import type { Client, Enabled } from './old-events'
import { PerConnection } from './per-connection'
import { PerMessage } from './per-message'

const ownEvents: readonly unknown[] = ['sconnection', 'smessage', 'sinvalid']

export function watchClients(enabled: Enabled, perMessage: boolean): void {
  enabled.io.sockets.on('connection', (client: Client) => {
    const mode = perMessage ? new PerMessage(client, enabled) : new PerConnection(client, enabled)
    client.use(([event, message], next) => {
      if (ownEvents.includes(event)) return
      const sid = shownIn(event, message)
      if (!sid) return mode.admit(next)
      mode.handshake(sid)
      next()
    })
  })
}
