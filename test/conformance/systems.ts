/**
 * The two systems that are compared: the recipe of the Socket.IO documentation ("How to use with express-session":
 * `io.engine.use(session(…))`, then `socket.request.session`), and this package. Same app, same clients.
 */

import type session from 'express-session'
import type { SessionData } from 'express-session'
import type { Socket } from 'socket.io'
import type { ClientOptions } from '../support/app.js'
import { type App, type AppOptions, startApp } from '../support/app.js'

type AnySession = session.Session & Partial<SessionData>

export interface System extends App {
  sessionOf(socket: Socket): AnySession
}

export async function startRecipe(options: AppOptions = {}): Promise<System> {
  const app = await startApp({ ...options, attach: false })
  app.sessions.close() // it would already protect the store
  app.io.engine.use(app.middleware as never)
  return { ...app, sessionOf: (socket) => (socket.request as unknown as { session: AnySession }).session }
}

export async function startOurs(options: AppOptions = {}): Promise<System> {
  const app = await startApp(options)
  return { ...app, sessionOf: (socket) => socket.handshake.session }
}

export const transports: [string, ClientOptions][] = [
  ['websocket', { transports: ['websocket'] }],
  ['polling', { transports: ['polling'] }],
]
