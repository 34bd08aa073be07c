// A CommonJS project: logs in over HTTP, connects with the cookie, prints what the socket sees.
const { createServer } = require('node:http')
const express = require('express')
const session = require('express-session')
const { handshakeSession, SessionError } = require('handshake-session')
const { Server } = require('socket.io')
const { io: connect } = require('socket.io-client')

const sessionMiddleware = session({ secret: 'keyboard cat', resave: false, saveUninitialized: false })
const app = express()
app.use(sessionMiddleware)
app.get('/login', (req, res) => {
  req.session.user = 'ann'
  res.end()
})
const server = createServer(app)
const io = new Server(server)
handshakeSession(sessionMiddleware).attach(io)
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
