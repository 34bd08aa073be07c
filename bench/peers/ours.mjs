// handshake-session as in its README.
import { handshakeSession } from 'handshake-session'

export function install({ io, options }) {
  const sessions = handshakeSession({ store: options.store, secret: options.secret }).attach(io)
  io.on('connection', (socket) => {
    const { session } = socket.handshake
    const read = (answer) => answer(session.user)
    socket.on('read', read)
    socket.on('fresh', read)
    socket.on('save', (answer) => {
      session.visits++
      session.save(() => answer())
    })
    socket.on('count', (answer) => answer(session.visits))
    socket.on('add', async (answer) => {
      await sessions.update(socket, (draft) => {
        draft.visits++
      })
      answer()
    })
  })
  return {
    load: (cookie) => sessions.load({ headers: { cookie } }),
    revoke: (id) => sessions.revoke(id),
  }
}
