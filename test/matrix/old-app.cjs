// One cell of the matrix, `node -r handshake-session/register`: the lines of an old app with session.io, of which none is
// edited. With its cookie a client connects and the app sees the session; without it is refused.
const assert = require('node:assert/strict')
const { once } = require('node:events')
const express = require('express')
const session = require('express-session')

const secret = 'keyboard cat'
const isExpress3 = require('express/package.json').version.startsWith('3.')
const cookieParser = isExpress3 ? express.cookieParser(secret) : require('cookie-parser')(secret)
const sessionStore = new session.MemoryStore()
const app = express()
app.use(cookieParser)
app.use(session({ secret, store: sessionStore, resave: false, saveUninitialized: false }))
app.get('/login', (req, res) => {
  req.session.user = 'ann'
  res.end()
})
const server = require('node:http').createServer(app)

const io = require('socket.io').listen(server)
io.configure(() => io.set('authorization', require('session.io')(cookieParser, sessionStore)))
io.on('connection', (socket) => socket.emit('user', socket.handshake.session.user))

async function visit() {
  const { io: connect } = require('socket.io-client')
  const url = `http://127.0.0.1:${server.address().port}`
  const cookie = (await fetch(`${url}/login`)).headers.get('set-cookie').split(';')[0]
  const [user] = await once(connect(url, { extraHeaders: { cookie }, reconnection: false }), 'user')
  assert.equal(user, 'ann', 'the session is on the socket')
  await once(connect(url, { forceNew: true, reconnection: false }), 'connect_error')
  process.exit(0)
}

server.listen(0, '127.0.0.1', visit)
