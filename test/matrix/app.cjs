// One cell of the matrix, current API: login → connect → the socket sees the session, and what HTTP changes in it →
// update, which HTTP sees → logout closes the socket → the cookie is refused. Exits with 1 at the first step that fails.
const assert = require('node:assert/strict')
const { once } = require('node:events')
const { createServer } = require('node:http')
const express = require('express')
const session = require('express-session')
const { handshakeSession } = require('handshake-session')
const { Server } = require('socket.io')
const { io: connect } = require('socket.io-client')

const options = { store: new session.MemoryStore(), secret: 'keyboard cat' }
const app = express()
app.use(session({ ...options, resave: false, saveUninitialized: false }))
app.get('/set/:key/:value', (req, res) => {
  req.session[req.params.key] = req.params.value
  res.json(req.session)
})
app.get('/session', (req, res) => res.json(req.session))
app.get('/logout', (req, res) => req.session.destroy(() => res.json(null)))

const server = createServer(app)
const io = new Server(server)
const sessions = handshakeSession(options).attach(io)
io.on('connection', (socket) => {
  socket.on('session', (answer) => answer(socket.handshake.session))
  socket.on('count', async (answer) => answer(await sessions.update(socket, (s) => (s.count = (s.count ?? 0) + 1))))
})

async function visit() {
  const url = `http://127.0.0.1:${server.address().port}`
  const login = await fetch(`${url}/set/user/ann`)
  const cookie = login.headers.get('set-cookie').split(';')[0]
  const get = async (path) => (await fetch(url + path, { headers: { cookie } })).json()
  const open = () => connect(url, { extraHeaders: { cookie }, forceNew: true, reconnection: false })

  const client = open()
  const ask = (event) => new Promise((answer) => client.emit(event, answer))
  await once(client, 'connect')
  assert.equal((await ask('session')).user, 'ann', 'the session is on the socket')
  await get('/set/color/red')
  assert.equal((await ask('session')).color, 'red', 'the socket sees what HTTP changed')
  assert.deepEqual(await Promise.all([ask('count'), ask('count')]), [1, 2], 'updates come one after the other')
  assert.equal((await get('/session')).count, 2, 'HTTP sees the update')
  const closed = once(client, 'disconnect')
  await get('/logout')
  await closed
  const [error] = await once(open(), 'connect_error')
  assert.equal(error.data?.code, 'ERR_SESSION_NOT_FOUND', 'refused after the logout')
  process.exit(0)
}

server.listen(0, '127.0.0.1', visit)
