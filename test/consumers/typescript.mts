// A TypeScript project: the app's own SessionData reaches socket.handshake.session, whatever events the server types.
import session from 'express-session'
import { handshakeSession, type SessionErrorCode } from 'handshake-session'
import { Server } from 'socket.io'

declare module 'express-session' {
  interface SessionData {
    user: string
    visits: number
  }
}

interface Events {
  hello: (name: string) => void
}

const io = new Server<Events, Events, Record<string, never>, { since: number }>()
const sessions = handshakeSession({ store: new session.MemoryStore(), secret: ['new', Buffer.from('old')] })
handshakeSession(session({ secret: 'keyboard cat', resave: false, saveUninitialized: false }), { required: false })
sessions.attach(io).attach(io.of('/chat'))
io.on('connection', async (socket) => {
  const user: string | undefined = socket.handshake.session.user
  const id: string = socket.handshake.sessionID
  const visits: number = await sessions.update(socket, (s) => (s.visits = (s.visits ?? 0) + 1))
  socket.handshake.session.save((error: unknown) => error)
  // @ts-expect-error visits is a number
  socket.handshake.session.visits = 'many'
  socket.emit('hello', `${user} ${id} ${visits}`)
})
sessions.on('end', ({ sessionID, reason }) => io.to(sessions.room(sessionID)).emit('hello', reason))
const code: SessionErrorCode = 'ERR_SESSION_NOT_FOUND'
// @ts-expect-error not a code
const wrong: SessionErrorCode = 'ERR_SESSION'
console.log(code, wrong)
