// An ESM project: logs in over HTTP, connects with the cookie, prints what the socket sees.
import { createServer } from 'node:http'
import express from 'express'
import session from 'express-session'
import { handshakeSession, SessionError } from 'handshake-session'
import { Server } from 'socket.io'
import { io as connect } from 'socket.io-client'

const options = { store: new session.MemoryStore(), secret: 'keyboard cat' }
const app = express()
app.use(session({ ...options, resave: false, saveUninitialized: false }))
app.get('/login', (req, res) => {
  req.session.user = 'ann'
  res.end()
})
const server = createServer(app)
const io = new Server(server)
handshakeSession(options).attach(io)
io.on('connection', (socket) => {
  console.log('the socket sees %s', socket.handshake.session.user)
  io.close()
})
if (!(SessionError.prototype instanceof Error)) process.exit(1)
server.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}`
  const response = await fetch(`${url}/login`)
  connect(url, { reconnection: false, extraHeaders: { cookie: response.headers.get('set-cookie') } })
})
