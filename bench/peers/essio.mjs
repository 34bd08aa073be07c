// express-socket.io-session as in its README: the session on the handshake, saved by hand.
import sharedSession from 'express-socket.io-session'
import { namespaces } from '../client.mjs'

export function install({ io, middleware }) {
  for (const name of namespaces) io.of(name).use(sharedSession(middleware))
  io.on('connection', (socket) => {
    handleReads(socket)
    socket.on('save', (answer) => {
      socket.handshake.session.visits++
      socket.handshake.session.save(() => answer())
    })
  })
}

export function handleReads(socket) {
  socket.on('read', (answer) => answer(socket.handshake.session.user))
  socket.on('fresh', (answer) => {
    socket.handshake.session.reload(() => answer(socket.handshake.session.user))
  })
  socket.on('count', (answer) => {
    socket.handshake.session.reload(() => answer(socket.handshake.session.visits))
  })
}
