/**
 * The clients of a server: their two handshakes, their messages, and what none of them may say. How a session is worked
 * on is left to the mode, `per-connection.ts` or `per-message.ts`.
 */
import type { Client, Enabled } from './old-events'
import { PerConnection } from './per-connection'
import { PerMessage } from './per-message'

const ownEvents: readonly unknown[] = ['sconnection', 'smessage', 'sinvalid']

export function watchClients(enabled: Enabled, perMessage: boolean): void {
  enabled.io.sockets.on('connection', (client: Client) => {
    client.use(([event], next) => {
      if (!ownEvents.includes(event)) next()
    })
    const mode = perMessage ? new PerMessage(client, enabled) : new PerConnection(client, enabled)
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
