// node examples/basic.mjs, then open the URL that it prints: log in, and the socket has the session of the page. Add
// over HTTP, and the socket sees it; log out, also in another tab, and the socket is closed.
import { createServer } from 'node:http'
import express from 'express'
import session from 'express-session'
import { handshakeSession } from 'handshake-session'
import { Server } from 'socket.io'

const app = express()
const server = createServer(app)
const io = new Server(server)

const sessionMiddleware = session({ secret: 'keyboard cat', resave: false, saveUninitialized: false })
app.use(sessionMiddleware)
handshakeSession(sessionMiddleware).attach(io)

app.post('/login', express.urlencoded(), (req, res) => {
  Object.assign(req.session, { user: req.body.user, visits: 0 })
  res.redirect('/')
})
app.post('/visit', (req, res) => {
  req.session.visits++
  res.redirect('/')
})
app.post('/logout', (req, res) => req.session.destroy(() => res.redirect('/')))

io.on('connection', (socket) => {
  socket.on('who', (answer) => {
    const { user, visits } = socket.handshake.session // as it is now
    answer(`${user}, ${visits} visits`)
  })
})

app.get('/', (_req, res) =>
  res.send(`<!doctype html><title>basic</title>
    <form action="/login" method="post"><input name="user" value="ann"><button>log in</button></form>
    <form action="/visit" method="post"><button>visit</button></form>
    <form action="/logout" method="post"><button>log out</button></form>
    <p>The socket: <output></output></p>
    <script src="/socket.io/socket.io.js"></script>
    <script>
      const show = (text) => { document.querySelector('output').textContent = text }
      const socket = io()
      socket.on('connect', () => socket.emit('who', show))
      socket.on('disconnect', () => show('closed'))
      socket.on('connect_error', ({ data }) => show(data?.code))
    </script>`),
)

server.listen(process.env.PORT ?? 3000, 'localhost', () => console.log(`http://localhost:${server.address().port}`))
