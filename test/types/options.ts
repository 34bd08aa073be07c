// The options: what handshakeSession() takes, and what it does not.
import { createSecretKey } from 'node:crypto'
import session from 'express-session'
import { type HandshakeSessionOptions, HandshakeSessions, handshakeSession, type StoreLike } from 'handshake-session'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { Socket } from 'socket.io'

type Handshake = Socket['handshake']

const store = new session.MemoryStore()
const secret = 'keyboard cat'

const sessions: HandshakeSessions = handshakeSession({ store, secret })
new HandshakeSessions({ store, secret: ['new', Buffer.from('old'), createSecretKey(Buffer.from('older'))] })
handshakeSession({
  ...{ store, secret, name: 'sid', required: false, timeout: 1, freshFor: 0, recheck: 1, touch: true },
  origins: async (origin, headers) => origin === headers.host,
  onError: (error, { stage }) => console.log(error.code, stage satisfies string),
})
for (const origins of ['*', /x/, ['https://a.example', /y/]]) handshakeSession({ store, secret, origins })

// One object for both sides.
const both = { store, secret, name: 'sid' }
session({ ...both, resave: false, saveUninitialized: false })
handshakeSession(both)
const undecided: HandshakeSessionOptions = { store, secret, name: undefined, origins: undefined, onError: undefined }
handshakeSession(undecided)

// A store is whatever has the three methods.
const own: StoreLike = { get: (_id, done) => done(null, null), set: () => {}, destroy: () => {} }
handshakeSession({ store: own, secret })

// Either client of Redis.
handshakeSession({ store, secret, redis: new Redis() })
handshakeSession({ store, secret, redis: createClient() })

// What session() returned is enough.
const middleware = session({ store, secret, resave: false, saveUninitialized: false })
const short: HandshakeSessions = handshakeSession(middleware)
handshakeSession(middleware, { required: false, timeout: 1, secret: ['of tickets'], onError: undefined })
new HandshakeSessions(middleware, { origins: '*' })
console.log(short)
// @ts-expect-error the middleware has a store
handshakeSession(middleware, { store })
// @ts-expect-error and the name
handshakeSession(middleware, { name: 'sid' })
// @ts-expect-error a handler of errors is no session middleware
handshakeSession((_error: unknown, _req: unknown, _res: unknown, next: () => void) => next())
// @ts-expect-error a flag is no string, in this form neither
handshakeSession(middleware, { required: 'no' })
// @ts-expect-error options are one object
handshakeSession({ store, secret }, { required: false })

// authorize sees the app's own session, and the handshake; Socket.IO's own type of it will do.
handshakeSession(middleware, {
  authorize: (s, { auth, headers }) => s.cookie.path === headers.host && auth?.['x'] === 1,
})
handshakeSession(middleware, { authorize: async (s, handshake: Handshake) => handshake.query['x'] === s.id })
// @ts-expect-error it answers true or false
handshakeSession(middleware, { authorize: (s) => s.id })

// @ts-expect-error no options
handshakeSession()
// @ts-expect-error no store
handshakeSession({ secret })
// @ts-expect-error no secret
handshakeSession({ store })
// @ts-expect-error a class is no store
handshakeSession({ store: session.MemoryStore, secret })
// @ts-expect-error a store without destroy
handshakeSession({ store: { get: own.get, set: own.set }, secret })
// @ts-expect-error a number is no secret
handshakeSession({ store, secret: 42 })
// @ts-expect-error milliseconds are a number
handshakeSession({ store, secret, timeout: '10s' })
// @ts-expect-error a flag is no string
handshakeSession({ store, secret, required: 'no' })
// @ts-expect-error a number is no origin
handshakeSession({ store, secret, origins: [80] })
// @ts-expect-error the test of an origin answers true or false
handshakeSession({ store, secret, origins: (origin: string) => origin })
// @ts-expect-error no such option
handshakeSession({ store, secret, cookie: {} })
// @ts-expect-error they are not to be changed
sessions.options = {}
