/**
 * socket.io-sessions as it was: 0.6.1 on a real Socket.IO 0.9.19, with the client of that, by xhr-polling; and the shim in
 * the same shape, so that the same cases run on both. Both take bare ids.
 */
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { enable, type Options } from 'handshake-session/compat/socket.io-sessions'
import type { Server } from 'socket.io'
import { io as connect4 } from 'socket.io-client'
import { type Connect, idOf } from '../support/app.js'
import type { ObservableStore } from './observable-store.js'
import type { Manager } from './sessions-server.js'

interface Implementation {
  name: string
  /** The server that `enable` is given. */
  serve(io: Server): Manager
  enable(socket: Manager, store: ObservableStore, options?: Options): unknown
  connect: Connect
}

const require = createRequire(import.meta.url)
// Gone since Node 7, and the original's only way to emit on a socket.
Object.assign(process, { EventEmitter })
const original = require('socket.io-sessions-original') as { enable(args: object): unknown }
const socketIO = require('socket.io-0') as { listen(server: Server['httpServer'], options: object): Manager }
const client = createRequire(require.resolve('socket.io-0'))('socket.io-client') as { connect: Connect }
/** The one transport of 0.9 that needs neither a browser nor its own WebSocket server of 2012. */
const transports = ['xhr-polling']

export const implementations: Implementation[] = [
  {
    name: 'original',
    // Takes /socket.io over from the Socket.IO 4 of the app, which has the same HTTP server.
    serve: ({ httpServer }) => socketIO.listen(httpServer, { log: false, transports }),
    enable: (socket, store, options) => original.enable({ socket, store, cutter, ...options }),
    connect: (url) => client.connect(url, { transports, reconnect: false, 'force new connection': true } as object),
  },
  {
    name: 'shim',
    serve: (io) => io as unknown as Manager,
    enable: (socket, store, options) => enable({ socket, store, cutter, rawSid: true, ...options }),
    connect: connect4,
  },
]

/** Any old app's: the id of the cookie, its signature cut off. */
function cutter({ headers }: { headers: { cookie?: string } }): string | undefined {
  return headers.cookie && idOf(headers.cookie)
}
