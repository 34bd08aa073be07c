// npm install koa, then node examples/frameworks/koa.mjs: express-session in Koa, called by hand, and its session on the
// socket. (koa-session cannot be used: it signs cookies in another way, and its stores are others.)
import session from 'express-session'
import { handshakeSession } from 'handshake-session'
import Koa from 'koa'
import { Server } from 'socket.io'

const sessionMiddleware = session({ secret: 'keyboard cat', resave: false, saveUninitialized: false })
const app = new Koa()
app.use(async ({ req, res }, next) => {
  await new Promise((done, fail) => sessionMiddleware(req, res, (error) => (error ? fail(error) : done())))
  await next()
})
app.use(async (ctx) => {
  const { session } = ctx.req
  if (ctx.path === '/login') Object.assign(session, { user: 'ann', visits: 0 })
  if (ctx.path === '/visit') session.visits++
  if (ctx.path === '/logout') await new Promise((done) => session.destroy(done))
  ctx.body = { visits: session.visits }
})

const server = app.listen(process.env.PORT ?? 3000, 'localhost', () =>
  console.log(`http://localhost:${server.address().port}`),
)
const io = new Server(server)
const sessions = handshakeSession(sessionMiddleware).attach(io)
io.on('connection', (socket) => {
  socket.on('who', (answer) => answer(`${socket.handshake.session.user}, ${socket.handshake.session.visits} visits`))
  socket.on('visit', (answer) => sessions.update(socket, (s) => ++s.visits).then(answer, console.error))
})
