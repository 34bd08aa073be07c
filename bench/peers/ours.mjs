// handshake-session as in its README.
import { handshakeSession } from 'handshake-session'

/** @param {boolean} given.isShared whether other processes write the sessions, too: then a save is an update */
export function install({ io, options, isShared }) {
  const sessions = handshakeSession({ store: options.store, secret: options.secret }).attach(io)
  io.on('connection', (socket) => {
    const { session } = socket.handshake
    const read = (answer) => answer(session.user)
    socket.on('read', read)
    socket.on('fresh', read)
    socket.on('save', (answer) => {
      if (isShared) return void sessions.update(socket, add).then(() => answer())
      session.visits++
      session.save(() => answer())
    })
    socket.on('count', (answer) => answer(session.visits))
  })
  return {
    load: (cookie) => sessions.load({ headers: { cookie } }),
    revoke: (id) => sessions.revoke(id),
  }
}

function add(session) {
  session.visits++
}
