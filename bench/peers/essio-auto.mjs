// express-socket.io-session with autoSave, which saves by itself after each event and tells nobody when it has.
import sharedSession from 'express-socket.io-session'
import { namespaces } from '../client.mjs'
import { handleReads } from './essio.mjs'

export function install({ io, middleware }) {
  for (const name of namespaces) io.of(name).use(sharedSession(middleware, { autoSave: true }))
  io.on('connection', (socket) => {
    handleReads(socket)
    socket.on('save', (answer) => {
      socket.handshake.session.visits++
      answer()
    })
  })
}
