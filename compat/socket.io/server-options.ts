/**
 * Changes options of a Socket.IO 4 server that exists, attached or not: old apps call `set` after `listen`, while
 * Socket.IO 4 takes its options once. Engine.IO reads most of them anew for each client.
 */
import type { IncomingMessage } from 'node:http'
import type { Server, ServerOptions } from 'socket.io'

/** @returns why they have no effect, and what to do, if so */
export function applyOptions(io: Server, options: Partial<ServerOptions>): string | undefined {
  if (!io.engine) return applyBeforeAttach(io, options)
  const { path, serveClient, cors, ...others } = options
  if (path !== undefined) serveAt(io, path)
  Object.assign(io.engine.opts, others)
  // Its WebSocket server has a copy of the message size. `init` makes a new one, as it does whenever the port opens.
  if (options.maxHttpBufferSize) (io.engine as unknown as { init(): void }).init()
  if (cors) return applyCors(io, cors)
  if (serveClient !== undefined && serveClient !== io.serveClient()) {
    return 'the server is attached already; pass it to listen() among the options'
  }
  return undefined
}

function applyBeforeAttach(io: Server, options: Partial<ServerOptions>): undefined {
  Object.assign(io._opts, options)
  if (options.path !== undefined) io.path(options.path)
  if (options.serveClient !== undefined) io.serveClient(options.serveClient)
}

/** The cors middleware was given an object, and reads it for each request; without one it was not installed. */
function applyCors({ engine }: Server, cors: NonNullable<ServerOptions['cors']>): string | undefined {
  const current = engine.opts.cors
  if (typeof current === 'object') {
    Object.assign(current, cors)
    return undefined
  }
  engine.opts.cors = cors
  return 'WebSocket only: for polling from other origins make the server with { cors: { origin: … } }'
}

/** What comes for `path` is led to where the engine listens; that stays reachable as well. */
function serveAt(io: Server, path: string): void {
  const lead = (request: IncomingMessage) => {
    if (request.url?.startsWith(`${path}/`)) request.url = io.path() + request.url.slice(path.length)
  }
  io.httpServer.prependListener('request', lead)
  io.httpServer.prependListener('upgrade', lead)
}
