/**
 * A server made as old apps make it, by `require('socket.io').listen`, with Socket.IO 4 beneath; and how clients of two
 * generations fare on it. Everything is closed after the test.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import socketIO from 'handshake-session/compat/socket.io'
import type { Socket } from 'socket.io-client'
import { onTestFinished } from 'vitest'
import { type Connect, connect, next } from '../support/app.js'
import { clients } from '../support/clients.js'

export type OldServer = ReturnType<typeof socketIO.listen>
export type OldSocket = ReturnType<OldServer['clients']>[number]
export type Options = Exclude<Parameters<typeof socketIO.listen>[1], undefined | (() => void)>

/** The two that stand for all: the newest, and the last of protocol 3, in which everything older speaks. */
export const generations = clients.filter(({ version }) => version === '4.8' || version === '2.5')

/** @param module `compat/socket.io`, or a copy of it */
export async function listen(options?: Options, module = socketIO): Promise<{ io: OldServer; url: string }> {
  const server = createServer()
  const io = module.listen(server, options)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => io.close())
  return { io, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** How a client fared: 'connect', or the text of the refusal. */
export function fate(client: Socket): Promise<string> {
  return new Promise((resolve) => {
    client.on('connect', () => resolve('connect'))
    // Since 3.0 an Error in `connect_error`, before that the text in `error`.
    client.on('connect_error', (error) => resolve(error.message))
    client.on('error' as 'connect_error', (error: Error | string) => resolve(String(error)))
  })
}

/** The connected client, and its socket on the server. */
export async function join(io: OldServer, url: string, io_: Connect, cookie?: string): Promise<[Socket, OldSocket]> {
  const connected = next<OldSocket>(io.sockets, 'connection')
  const client = connect(url, cookie, {}, io_)
  return [client, await connected]
}
