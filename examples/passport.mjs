// node examples/passport.mjs, then open the URL that it prints and log in as ann, password secret: the socket has the
// user that Passport keeps in the session. Logging out (Passport regenerates the session then) closes the socket.
import { createServer } from 'node:http'
import express from 'express'
import session from 'express-session'
import { handshakeSession } from 'handshake-session'
import passport from 'passport'
import { Strategy } from 'passport-local'
import { Server } from 'socket.io'

const users = new Map([['ann', { id: 'ann', password: 'secret', name: 'Ann' }]])
passport.use(
  new Strategy((name, password, done) => {
    const user = users.get(name)
    done(null, user?.password === password ? user : false) // In a real app: a hash.
  }),
)
passport.serializeUser((user, done) => done(null, user.id))
passport.deserializeUser((id, done) => done(null, users.get(id) ?? false))

const app = express()
const server = createServer(app)
const io = new Server(server)
const sessionMiddleware = session({ secret: 'keyboard cat', resave: false, saveUninitialized: false })
app.use(sessionMiddleware, passport.session())
handshakeSession(sessionMiddleware).attach(io)

// After the session: whose socket it is. A session without a login gets none.
io.use((socket, next) => {
  socket.data.user = users.get(socket.handshake.session.passport?.user)
  next(socket.data.user ? undefined : new Error('Log in first'))
})
io.on('connection', (socket) => socket.emit('hello', socket.data.user.name))

app.post('/login', express.urlencoded(), passport.authenticate('local', { successRedirect: '/', failureRedirect: '/' }))
app.post('/logout', (req, res, next) => req.logout((error) => (error ? next(error) : res.redirect('/'))))
app.get('/', (_req, res) =>
  res.send(`<!doctype html><title>passport</title>
    <form action="/login" method="post">
      <input name="username" value="ann"><input name="password" type="password"><button>log in</button>
    </form>
    <form action="/logout" method="post"><button>log out</button></form>
    <p>The socket: <output></output></p>
    <script src="/socket.io/socket.io.js"></script>
    <script>
      const show = (text) => { document.querySelector('output').textContent = text }
      const socket = io()
      socket.on('hello', show)
      socket.on('disconnect', () => show('closed'))
      socket.on('connect_error', ({ message }) => show(message))
    </script>`),
)

server.listen(process.env.PORT ?? 3000, 'localhost', () => console.log(`http://localhost:${server.address().port}`))
