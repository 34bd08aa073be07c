// node examples/tickets.mjs, then open the URL that it prints, log in and go to the other site. Its page cannot send the
// cookie; it shows a ticket, good for one handshake, and has the session all the same, until you log out here.
import { once } from 'node:events'
import { createServer } from 'node:http'
import express from 'express'
import session from 'express-session'
import { handshakeSession } from 'handshake-session'
import { Server } from 'socket.io'

const app = express()
const server = createServer(app)
const io = new Server(server)
const secret = 'keyboard cat'
const sessionMiddleware = session({ secret, cookie: { sameSite: 'lax' }, resave: false, saveUninitialized: false })
app.use(sessionMiddleware)
const sessions = handshakeSession(sessionMiddleware, { secret }).attach(io) // The secret is what tickets are made with.
io.on('connection', (socket) => socket.emit('hello', socket.handshake.session.user))

app.post('/login', express.urlencoded(), (req, res) => {
  req.session.user = req.body.user
  res.redirect('/')
})
app.post('/logout', (req, res) => req.session.destroy(() => res.redirect('/')))
app.post('/go', (req, res) => {
  if (!req.session.user) return res.redirect('/')
  res.redirect(`${elsewhere}/#${sessions.ticket(req)}`) // Behind a #, so no server's log has it.
})
app.get('/', (_req, res) =>
  res.send(`<!doctype html><title>here</title>
    <form action="/login" method="post"><input name="user" value="ann"><button>log in</button></form>
    <form action="/go" method="post" target="_blank"><button>go to the other site</button></form>
    <form action="/logout" method="post"><button>log out</button></form>`),
)

const port = Number(process.env.PORT ?? 3000)
const listen = async (server, port, host) => {
  await once(server.listen(port, host), 'listening')
  return `http://${host}:${server.address().port}`
}
const here = await listen(server, port, 'localhost')

/** To a browser, 127.0.0.1 is another site than localhost. WebSocket needs no CORS, so nothing is allowed to it here. */
const elsewhere = await listen(
  createServer((_req, res) => {
    res.setHeader('content-type', 'text/html').end(`<!doctype html><title>elsewhere</title>
      <p>The socket: <output></output></p><script src="${here}/socket.io/socket.io.js"></script><script>
        const show = (text) => { document.querySelector('output').textContent = text }
        const socket = io('${here}', { transports: ['websocket'], auth: { ticket: location.hash.slice(1) } })
        socket.on('hello', show)
        socket.on('disconnect', () => show('closed'))
        socket.on('connect_error', ({ data }) => show(data?.code))
      </script>`)
  }),
  port && port + 1,
  '127.0.0.1',
)
console.log(here)
