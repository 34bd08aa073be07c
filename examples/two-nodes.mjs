// node examples/two-nodes.mjs: two processes, each with Express and Socket.IO, one store. Open both URLs that it prints
// and log in on one: both have the socket. Log out on one: the other closes its socket at once. Nothing but Socket.IO's
// own cluster adapter tells it. On several machines: @socket.io/redis-adapter and connect-redis.
import cluster from 'node:cluster'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAdapter, setupPrimary } from '@socket.io/cluster-adapter'
import express from 'express'
import session from 'express-session'
import { handshakeSession } from 'handshake-session'
import connectFiles from 'session-file-store'
import { Server } from 'socket.io'

if (cluster.isPrimary) startNodes()
else startNode()

function startNodes() {
  const SESSIONS = mkdtempSync(join(tmpdir(), 'sessions-'))
  process.once('exit', () => rmSync(SESSIONS, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit()) // The nodes end with it.
  setupPrimary()
  const first = Number(process.env.PORT ?? 3000)
  for (const node of [0, 1]) cluster.fork({ SESSIONS, PORT: first && first + node }) // 0: any free port
}

function startNode() {
  const app = express()
  const server = createServer(app)
  const io = new Server(server, { adapter: createAdapter() })
  const store = new (connectFiles(session))({ path: process.env.SESSIONS, retries: 0, logFn: () => {} })
  const sessionMiddleware = session({ store, secret: 'keyboard cat', resave: false, saveUninitialized: false })
  app.use(sessionMiddleware)
  handshakeSession(sessionMiddleware).attach(io)

  app.post('/login', express.urlencoded(), (req, res) => {
    req.session.user = req.body.user
    req.session.save(() => res.redirect('/')) // A browser may follow a redirect before express-session has saved.
  })
  app.post('/logout', (req, res) => req.session.destroy(() => res.redirect('/')))
  app.get('/', (_req, res) => res.send(page))
  io.on('connection', (socket) => socket.emit('hello', `${socket.handshake.session.user}, process ${process.pid}`))
  const listen = { port: process.env.PORT, host: 'localhost', exclusive: true }
  server.listen(listen, () => console.log(`http://localhost:${server.address().port}`))
}

const page = `<!doctype html><title>two nodes</title>
  <form action="/login" method="post"><input name="user" value="ann"><button>log in</button></form>
  <form action="/logout" method="post"><button>log out</button></form>
  <p>The socket: <output></output></p>
  <script src="/socket.io/socket.io.js"></script>
  <script>
    const show = (text) => { document.querySelector('output').textContent = text }
    const socket = io({ transports: ['websocket'] })
    socket.on('hello', show)
    socket.on('disconnect', () => show('closed'))
    socket.on('connect_error', ({ data }) => show(data?.code))
  </script>`
