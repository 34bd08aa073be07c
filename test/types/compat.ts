// The old packages' faces: the lines of their users compile, and wrong ones do not.
import { createServer } from 'node:http'
import cookieParser from 'cookie-parser'
import express from 'express'
import session from 'express-session'

import sharedSession = require('handshake-session/compat/express-socket.io-session')
import sessionIO = require('handshake-session/compat/session.io')
import SessionSockets = require('handshake-session/compat/session.socket.io')
import socketIO = require('handshake-session/compat/socket.io')
import ios = require('handshake-session/compat/socket.io-express-session')
import socketSession = require('handshake-session/compat/socket.io-mysql-session')

import * as passportSocketIo from 'handshake-session/compat/passport.socketio'
import * as socketSessions from 'handshake-session/compat/socket.io-sessions'
import * as zappajs from 'handshake-session/compat/zappajs'
import { SessionRegistry } from 'handshake-session/internals'
import 'handshake-session/register'
import mysql from 'mysql'
import { Server } from 'socket.io'

const secret = 'keyboard cat'
const store = new session.MemoryStore()
const server = createServer()
const parser = cookieParser(secret)

// socket.io and session.io
const old = socketIO.listen(server)
old.configure(() => old.set('authorization', sessionIO(parser, store)))
old.sockets.on('connection', (socket) => console.log(socket.handshake.session.id))
const modern = socketIO.legacy(new Server(server), {})
modern.set(
  'authorization',
  sessionIO(parser, store, 'sid', (_handshake, done) => done(null, true), { timeout: 1 }),
)
const options: sessionIO.Options = { allowUnsigned: true }
sessionIO(parser, store, undefined, undefined, options)
// @ts-expect-error no store
sessionIO(parser)
// @ts-expect-error a secret is no parser
sessionIO(secret, store)
// @ts-expect-error no such option
sessionIO(parser, store, 'sid', null, { unsigned: true })
// @ts-expect-error an HTTP server has no namespaces
socketIO.legacy(server)

// socket.io-sessions
const enabled: Server = socketSessions.enable({ socket: new Server(server), store, secret, per_message: true })
socketSessions.enable(enabled, store, { secret: ['new', 'old'], onError: (error) => console.log(error) })
socketSessions.version satisfies string
// @ts-expect-error no store
socketSessions.enable({ socket: enabled, secret })
// @ts-expect-error a secret is no number
socketSessions.enable({ socket: enabled, store, secret: 42 })

// socket.io-mysql-session
const db = mysql.createPool('mysql://localhost')
enabled.use(socketSession({ db, expiration: 3600, logger: null }))
enabled.use(new socketSession({ db }))
export type MySQLSession = socketSession.SocketSession
// @ts-expect-error no database
socketSession({})
// @ts-expect-error seconds are a number
socketSession({ db, expiration: '1h' })

// zappajs
const zappa = zappajs.bind({ app: express(), io: enabled, store })
zappa.on('said', function () {
  this.socket satisfies { id: string }
  console.log(this.session)
})
zappa.close()
// @ts-expect-error no app
zappajs.bind({ io: enabled, store })
// @ts-expect-error an event has a name
zappa.on(42, () => {})

// internals
const registry: SessionRegistry = SessionRegistry.join(store, { timeout: 1_000 })
// @ts-expect-error no store
SessionRegistry.join(registry)

// express-socket.io-session and socket.io-express-session
const middleware = session({ store, secret, resave: false, saveUninitialized: false })
const io = new Server(server)
io.use(sharedSession(middleware))
io.use(sharedSession(middleware, { autoSave: true, saveUninitialized: false }))
io.of('/chat').use(sharedSession(middleware, parser, { autoSave: true }))
io.use(ios(middleware)).on('connection', ({ handshake }) => handshake.session.save())
// @ts-expect-error no session middleware
sharedSession({ secret })
// @ts-expect-error no such option
sharedSession(middleware, { autosave: true })
// @ts-expect-error one argument
ios(middleware, store)

// session.socket.io
const sessionSockets = new SessionSockets(io, store, parser, 'sid')
sessionSockets.on('connection', (error, socket, { id }) => error || socket.emit('you', id))
sessionSockets
  .of('/chat')
  .on('connection', (_error, socket) => sessionSockets.getSession(socket, (_error, { id }) => id))
// @ts-expect-error a secret is no parser
new SessionSockets(io, store, secret)

// passport.socketio
const passport: passportSocketIo.PassportLike = {
  deserializeUser: (_name, _request, done) => done(null, { name: 'ann' }),
}
const authorize = passportSocketIo.authorize({ cookieParser, key: 'sid', secret, store, passport })
io.use(authorize)
old.set('authorization', authorize)
passportSocketIo.filterSocketsByUser(io, (user: { name: string }) => user.name === 'ann').map(({ id }) => id)
// @ts-expect-error no secret
passportSocketIo.authorize({ store, passport })
