// npm install fastify @fastify/cookie @fastify/session, then node examples/frameworks/fastify-session.mjs: the session of
// @fastify/session on the socket. It keeps its sessions in any store of express-session.
import cookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import session from 'express-session'
import Fastify from 'fastify'
import { handshakeSession } from 'handshake-session'
import { Server } from 'socket.io'

const options = { store: new session.MemoryStore(), secret: 'a secret of 32 characters or more' }
const app = Fastify()
await app.register(cookie)
await app.register(fastifySession, {
  ...options,
  cookieName: 'connect.sid',
  cookiePrefix: 's:', // Without it the cookie is signed in another way.
  cookie: { secure: 'auto' },
  saveUninitialized: false,
  rolling: false, // Else each request writes the whole session, also those that change nothing.
})

app.get('/login', async ({ session }) => Object.assign(session, { user: 'ann', visits: 0 }))
app.get('/visit', async ({ session }) => ({ visits: ++session.visits }))
app.get('/logout', async ({ session }) => session.destroy().then(() => ({})))

const io = new Server(app.server)
const sessions = handshakeSession(options).attach(io)
io.on('connection', (socket) => {
  socket.on('who', (answer) => answer(`${socket.handshake.session.user}, ${socket.handshake.session.visits} visits`))
  socket.on('visit', (answer) => sessions.update(socket, (s) => ++s.visits).then(answer, console.error))
})

await app.listen({ port: Number(process.env.PORT ?? 3000), host: 'localhost' })
console.log(`http://localhost:${app.server.address().port}`)
