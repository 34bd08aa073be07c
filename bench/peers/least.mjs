// What any way to it has to do: find the cookie, verify it, ask the store, make the Session, and know which sockets are its own.
// No check of the origin, no deadline for the store, one read for each socket, and nothing is kept true: only to be measured.
import { parseCookie } from 'cookie'
import { unsign } from 'cookie-signature'
import { handleReads } from './essio.mjs'

export function install({ io, options: { store, secret } }) {
  const load = (cookie, done) => {
    const id = unsign(parseCookie(cookie)['connect.sid'].slice(2), secret)
    store.get(id, (_error, record) => done(store.createSession({ sessionID: id, sessionStore: store }, record)))
  }
  io.use((socket, next) => {
    load(socket.handshake.headers.cookie, (session) => {
      socket.handshake.session = session
      socket.join(session.id)
      next()
    })
  })
  io.on('connection', handleReads)
  return { load: (cookie) => new Promise((resolve) => load(cookie, resolve)) }
}
