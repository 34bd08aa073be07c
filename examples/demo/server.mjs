// npm start, then open http://localhost:3000 in two tabs: one Express session, changed over HTTP and over the socket.
// Every change shows in both tabs, and when one tab logs out, the socket of the other one ends as well. On two nodes:
// REDIS_URL=redis://127.0.0.1 PORT=3001 npm start, and the same with PORT=3002.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import express from 'express'
import session from 'express-session'
import { handshakeSession } from 'handshake-session'
import { Server } from 'socket.io'

const { HOST = 'localhost', PORT = '3000', REDIS_URL } = process.env
const { SESSION_SECRET = REDIS_URL ? 'of a demo only' : randomBytes(32).toString('hex') } = process.env
const app = express()
const server = createServer(app)
const io = new Server(server)

const store = REDIS_URL ? await connectNodes(REDIS_URL) : new session.MemoryStore()
const cookie = { httpOnly: true, sameSite: 'lax' }
const options = { store, secret: SESSION_SECRET, name: 'demo.sid', cookie, resave: false, saveUninitialized: false }
const sessionMiddleware = session(options)
// The page connects before the login as well, and shows the refusal; without `onError` it would be a warning here, too.
const sessions = handshakeSession(sessionMiddleware, { onError: () => {} }).attach(io)

app.use(express.static(fileURLToPath(new URL('page', import.meta.url))))
app.use(express.json())
app.use(sessionMiddleware)

// The HTTP side: `req.session`, as in any Express app.
app.get('/session', (req, res) => res.json(view(req.session)))

app.post('/login', (req, res, next) => {
  const user = textOf(req.body?.user)
  if (!user) return res.status(400).json({ error: 'A name has 1 to 24 characters.' })
  req.session.regenerate((error) => {
    if (error) return next(error)
    Object.assign(req.session, { user, items: [] })
    res.json(view(req.session))
  })
})

app.post('/items', (req, res) => {
  const item = itemOf('http', req.body)
  if (!req.session.user) return res.status(401).json({ error: 'Log in first: there is no session.' })
  if (!item) return res.status(400).json({ error: 'An item has 1 to 24 characters.' })
  addItem(req.session, item)
  res.on('finish', () => announce(req.sessionID, { ...item, did: 'added' })) // by then it is saved
  res.json(view(req.session))
})

app.post('/logout', (req, res, next) => {
  announce(req.sessionID, { via: 'http', tab: tabOf(req.body?.tab), did: 'logged out' })
  req.session.destroy((error) => (error ? next(error) : res.json(null)))
})

// The socket side: `socket.handshake.session`, the same session, always current.
io.on('connection', (socket) => {
  socket.on('session', (reply) => {
    if (typeof reply === 'function') reply(view(socket.handshake.session))
  })
  socket.on('add', async (body, reply) => {
    const item = itemOf('socket', body)
    if (typeof reply !== 'function') return
    if (!item) return reply({ error: 'An item has 1 to 24 characters.' })
    try {
      await sessions.update(socket, (session) => addItem(session, item))
      announce(socket.handshake.sessionID, { ...item, did: 'added' })
      reply({})
    } catch (error) {
      reply({ error: error.code })
    }
  })
})

// Tells every tab of a session what was changed; and why it ends, just before its sockets are closed.
const announce = (sessionID, change) => io.to(sessions.room(sessionID)).emit('change', change)
sessions.on('end', ({ sessionID, reason }) => io.to(sessions.room(sessionID)).emit('end', reason))

const addItem = (session, item) => {
  session.items = [...session.items, item].slice(-6)
}
const view = ({ user, items }) => (user ? { user, items } : null)

// What comes from outside is checked, whichever way it came.
const textOf = (value) => (typeof value === 'string' && value.length <= 24 ? value.trim() : '')
const tabOf = (value) => (Number.isInteger(value) && value > 0 && value < 1000 ? value : 0)
const itemOf = (via, body) => textOf(body?.text) && { text: textOf(body.text), via, tab: tabOf(body.tab) }

app.use((error, _req, res, _next) => {
  res.status(error.status ?? 500).json({ error: error.expose ? error.message : 'Something broke.' })
})

/** Several nodes share the store and Socket.IO's adapter; handshake-session needs nothing more. */
async function connectNodes(url) {
  const { createClient } = await import('redis')
  const [client, subscriber] = [createClient({ url }), createClient({ url })]
  for (const each of [client, subscriber]) await each.on('error', ({ message }) => console.error(message)).connect()
  io.adapter((await import('@socket.io/redis-adapter')).createAdapter(client, subscriber))
  return new (await import('connect-redis')).RedisStore({ client })
}

const fail = (why) => {
  console.error(`demo: cannot listen on ${HOST}, port ${PORT}: ${why}`)
  process.exit(1)
}
if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65_535) fail('PORT is a number from 0 to 65535')
server.on('error', (error) => fail(error.message))
server.listen(Number(PORT), HOST, () => console.log(`Open http://${HOST}:${server.address().port} in two tabs.`))
