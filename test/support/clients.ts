/**
 * The generations of Socket.IO clients that are out there, by the version that npm has of each.
 */
import { createRequire } from 'node:module'
import { io as client4 } from 'socket.io-client'
import type { Connect } from './app.js'

const require = createRequire(import.meta.url)

/** Engine.IO protocol 3 (`allowEIO3` on the server) for 1.7 and 2.5, protocol 4 for the others. */
export const clients: { version: string; connect: Connect; eio3: boolean }[] = [
  { version: '4.8', connect: client4, eio3: false },
  { version: '3.1', connect: require('client-3').io as Connect, eio3: false },
  { version: '2.5', connect: require('client-2') as Connect, eio3: true },
  { version: '1.7', connect: require('client-1') as Connect, eio3: true },
]
