// node examples/typescript.mts (Node 22.18 or later; before that, compile it with tsc), then open the URL that it prints.
// What is declared of the session once has its type in routes, on sockets and in updates; wrong uses do not compile.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import session from 'express-session'
import { type EndReason, handshakeSession } from 'handshake-session'
import { Server } from 'socket.io'

declare module 'express-session' {
  interface SessionData {
    user: string
    items: string[]
  }
}

interface ClientEvents {
  add: (item: string, answer: (count: number) => void) => void
}
interface ServerEvents {
  items: (user: string, items: string[]) => void
  ended: (reason: EndReason) => void
}

const app = express()
const server = createServer(app)
const io = new Server<ClientEvents, ServerEvents>(server)
const sessionMiddleware = session({ secret: 'keyboard cat', resave: false, saveUninitialized: false })
app.use(sessionMiddleware)
const sessions = handshakeSession(sessionMiddleware).attach(io)

app.get('/login', (req, res) => {
  Object.assign(req.session, { user: 'ann', items: ['apple'] })
  res.redirect('/')
})
app.get('/logout', (req, res) => {
  req.session.destroy(() => res.redirect('/'))
})
app.get('/', (_req, res) => {
  res.send('<a href="/login">log in</a><script src="/socket.io/socket.io.js"></script><script>io()</script>')
})

io.on('connection', (socket) => {
  const { user, items } = socket.handshake.session // string | undefined, string[] | undefined
  if (user && items) socket.emit('items', user, items)
  socket.on('add', (item, answer) => {
    const adding = sessions.update(socket, (session) => {
      session.items = [...(session.items ?? []), item]
      return session.items.length
    })
    adding.then(answer, console.error) // a number, as `update` resolves to what the change returned
  })
})

sessions.on('end', ({ sessionID, reason }) => io.to(sessions.room(sessionID)).emit('ended', reason))

server.listen(Number(process.env['PORT'] ?? 3000), 'localhost', () => {
  console.log(`http://localhost:${(server.address() as AddressInfo).port}`)
})
