// node examples/update.mjs: 20 times at once something reads a counter in the session, thinks, and writes it back. Prints
// what is counted when HTTP requests do it, which overwrite each other (often 1), and with `sessions.update` (20).
import { createServer } from 'node:http'
import { setTimeout as think } from 'node:timers/promises'
import express from 'express'
import session from 'express-session'
import { handshakeSession } from 'handshake-session'
import { Server } from 'socket.io'
import { io as connect } from 'socket.io-client'

const app = express()
const server = createServer(app)
const io = new Server(server)
const sessionMiddleware = session({ secret: 'keyboard cat', resave: false, saveUninitialized: false })
app.use(sessionMiddleware)
const sessions = handshakeSession(sessionMiddleware).attach(io)

app.get('/login', (req, res) => {
  Object.assign(req.session, { requests: 0, updates: 0 })
  res.end()
})
app.get('/add', async (req, res) => {
  const { requests } = req.session
  await think(20)
  req.session.requests = requests + 1
  res.end()
})
app.get('/session', (req, res) => res.json(req.session))

io.on('connection', (socket) => {
  socket.on('add', (done) => {
    // One after the other, each on what the store has by then.
    const adding = sessions.update(socket, async (session) => {
      const { updates } = session
      await think(20)
      session.updates = updates + 1
    })
    adding.then(done, console.error) // it rejects when the session is over
  })
})

server.listen(process.env.PORT ?? 3000, 'localhost', async () => {
  const url = `http://localhost:${server.address().port}`
  const login = await fetch(`${url}/login`)
  const cookie = login.headers.get('set-cookie').split(';')[0]
  const get = (path) => fetch(url + path, { headers: { cookie } })
  const times20 = (work) => Promise.all(Array.from({ length: 20 }, work))

  await times20(() => get('/add'))
  const socket = connect(url, { extraHeaders: { cookie } })
  await times20(() => socket.emitWithAck('add'))
  const { requests, updates } = await (await get('/session')).json()
  console.log(`${url}\n20 requests at once: ${requests}\n20 updates at once: ${updates}`)
  io.close()
  socket.close()
})
