// session.socket.io: a session for each `connection`, held as long as the socket, and one for each event that asks. A client
// of Socket.IO 4 may emit before the first is there, so the events are listened to at once, not in its callback.
import cookieParser from 'cookie-parser'
import SessionSockets from 'session.socket.io'
import { namespaces } from '../client.mjs'

export function install({ io, options }) {
  const sessionSockets = new SessionSockets(io, options.store, cookieParser(options.secret))
  for (const name of namespaces) {
    sessionSockets.of(name).on('connection', (error, socket, session) => {
      if (error) socket.disconnect()
      else socket.data.session = session
    })
  }
  io.on('connection', (socket) => {
    const read = (answer) => sessionSockets.getSession(socket, (_error, session) => answer(session.user))
    socket.on('read', read)
    socket.on('fresh', read)
    socket.on('count', (answer) => sessionSockets.getSession(socket, (_error, session) => answer(session.visits)))
    socket.on('save', (answer) => {
      sessionSockets.getSession(socket, (_error, session) => {
        session.visits++
        session.save(() => answer())
      })
    })
  })
}
