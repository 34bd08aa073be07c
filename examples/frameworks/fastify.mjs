// npm install fastify @fastify/express, then node examples/frameworks/fastify.mjs: express-session in Fastify, and its
// session on the socket.
import fastifyExpress from '@fastify/express'
import session from 'express-session'
import Fastify from 'fastify'
import { handshakeSession } from 'handshake-session'
import { Server } from 'socket.io'

const sessionMiddleware = session({ secret: 'keyboard cat', resave: false, saveUninitialized: false })
const app = Fastify()
await app.register(fastifyExpress)
app.use(sessionMiddleware)

app.get('/login', async ({ raw }) => Object.assign(raw.session, { user: 'ann', visits: 0 }))
app.get('/visit', async ({ raw }) => ({ visits: ++raw.session.visits }))
app.get('/logout', ({ raw }, reply) => {
  raw.session.destroy(() => reply.send({}))
})

const io = new Server(app.server)
const sessions = handshakeSession(sessionMiddleware).attach(io)
io.on('connection', (socket) => {
  socket.on('who', (answer) => answer(`${socket.handshake.session.user}, ${socket.handshake.session.visits} visits`))
  socket.on('visit', (answer) => sessions.update(socket, (s) => ++s.visits).then(answer, console.error))
})

await app.listen({ port: Number(process.env.PORT ?? 3000), host: 'localhost' })
console.log(`http://localhost:${app.server.address().port}`)
