// handshake-session as in its README.
import { setTimeout as sleep } from 'node:timers/promises'
import { handshakeSession } from 'handshake-session'
import { registryOf } from 'handshake-session/internals'

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
    /** A session stays known for a while when its connection has left. */
    async forget() {
      while (registryOf(sessions).size > 0) await sleep(100)
    },
  }
}

function add(session) {
  session.visits++
}
