// What an app does with its sessions: its own SessionData is known wherever a session is.
import { createServer, type IncomingMessage } from 'node:http'
import express from 'express'
import session from 'express-session'
import {
  type EndReason,
  type Explanation,
  type ExpressSession,
  handshakeSession,
  SESSION_ERROR_CODES,
  SessionError,
  type SessionErrorCode,
} from 'handshake-session'
import { type DefaultEventsMap, Server } from 'socket.io'

declare module 'express-session' {
  interface SessionData {
    user: { name: string }
    visits: number
  }
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Compiles only if the type of the value is exactly `Expected`. */
const isExactly =
  <Expected>() =>
  <Actual>(_value: Actual, _same: Equal<Expected, Actual>) => {}

interface Events {
  hello: (name: string) => void
}

const server = createServer()
const io = new Server(server)
const sessions = handshakeSession({ store: new session.MemoryStore(), secret: 'keyboard cat' })

// attach takes a server or a namespace, with any types of events, and is chainable.
const typed = new Server<Events, DefaultEventsMap, Events, { since: number }>()
isExactly<typeof sessions>()(
  sessions
    .attach(io)
    .attach(typed)
    .attach(io.of('/chat'))
    .attach(typed.of(/^\/room/)),
  true,
)
// @ts-expect-error an HTTP server is no Socket.IO server
sessions.attach(server)
// @ts-expect-error its name is no namespace
sessions.attach('/chat')

// The session on the socket, whatever the types of events.
for (const each of [io, io.of('/chat')]) {
  each.use((socket, next) => next(socket.handshake.session.user ? undefined : new Error('log in')))
}
typed.on('connection', (socket) => {
  isExactly<{ name: string } | undefined>()(socket.handshake.session.user, true)
  isExactly<string>()(socket.handshake.sessionID, true)
  isExactly<ExpressSession>()(socket.handshake.session, true)
  isExactly<number>()(socket.data.since, true)
  socket.handshake.session.save((error: unknown) => error)
  socket.handshake.session.visits = 1
  // @ts-expect-error visits is a number
  socket.handshake.session.visits = 'many'
  // @ts-expect-error not in SessionData
  socket.handshake.session.cart
  // @ts-expect-error user may be missing
  socket.handshake.session.user.name
})

// update: the session in, what the change returns out; by socket or by id.
io.on('connection', async (socket) => {
  const change = (s: ExpressSession) => (s.visits = (s.visits ?? 0) + 1)
  isExactly<number>()(await sessions.update(socket, change), true)
  isExactly<string | undefined>()(await sessions.update('id', async (s) => s.user?.name), true)
  isExactly<void>()(await sessions.update(socket, (s) => { s.visits = 0 }), true) // biome-ignore format: one line
  // @ts-expect-error visits is a number
  await sessions.update(socket, (s) => (s.visits = 'many'))
  // @ts-expect-error a number is no id
  await sessions.update(42, change)
  // @ts-expect-error no change
  await sessions.update(socket)
})

// load and explain take a request, a handshake, or its headers.
async function upgrade(request: IncomingMessage) {
  const loaded = await sessions.load(request)
  isExactly<number | undefined>()(loaded.visits, true)
  isExactly<Explanation>()(await sessions.explain({ headers: { cookie: 'a=b' } }), true)
  const { accepted, steps, code, cause } = await sessions.explain(request)
  isExactly<boolean>()(accepted, true)
  isExactly<'ticket' | 'origin' | 'cookie' | 'signature' | 'session' | 'authorize' | undefined>()(
    steps.at(0)?.step,
    true,
  )
  isExactly<SessionErrorCode | undefined>()(code, true)
  isExactly<string | undefined>()(cause, true)
  // @ts-expect-error headers, not a header
  await sessions.load('connect.sid=…')
}
server.on('upgrade', upgrade)
io.on('connection', (socket) => sessions.load(socket.handshake))

// ticket takes an Express request.
express().get('/ticket', (req, res) => {
  res.send(sessions.ticket(req) satisfies string)
})
// @ts-expect-error an id is no request
sessions.ticket('id')

// end, revoke, room, close.
sessions.on('end', (end) => {
  isExactly<string>()(end.sessionID, true)
  isExactly<EndReason>()(end.reason, true)
  isExactly<'destroyed' | 'regenerated' | 'expired' | 'revoked'>()(end.reason, true)
  io.to(sessions.room(end.sessionID)).emit('ended', end.reason)
})
// @ts-expect-error no such event
sessions.on('start', () => {})
// @ts-expect-error no such reason
sessions.revoke('id', 'bored')
isExactly<Promise<void>>()(sessions.revoke('id', 'expired'), true)
isExactly<void>()(sessions.close(), true)

// The codes are a union that a switch can exhaust.
export function statusOf(error: SessionError): number {
  isExactly<SessionErrorCode>()(error.data.code, true)
  switch (error.code) {
    case 'ERR_SESSION_OPTIONS':
    case 'ERR_SESSION_STORE':
    case 'ERR_SESSION_TIMEOUT':
      return 500
    case 'ERR_SESSION_COOKIE_MISSING':
    case 'ERR_SESSION_SIGNATURE':
    case 'ERR_SESSION_NOT_FOUND':
    case 'ERR_SESSION_TICKET':
      return 401
    case 'ERR_SESSION_ORIGIN':
    case 'ERR_SESSION_FORBIDDEN':
      return 403
    case 'ERR_SESSION_ENDED':
    case 'ERR_SESSION_CONFLICT':
      return 409
    default:
      return error.code satisfies never
  }
}
isExactly<readonly SessionErrorCode[]>()(SESSION_ERROR_CODES, true)
// @ts-expect-error not a code
new SessionError('ERR_SESSION', 'x')
