// One cell of the matrix, what is used of Socket.IO and express-session beyond their public API: each part of
// src/socket-io/private-parts.ts and src/store/express-session.ts, by what an app sees of it. Exits with 1 at the first that fails.
const assert = require('node:assert/strict')
const { once } = require('node:events')
const { createServer } = require('node:http')
const session = require('express-session')
const { handshakeSession } = require('handshake-session')
const { Server } = require('socket.io')
const { Adapter } = require('socket.io-adapter')
const { io: connect } = require('socket.io-client')
const { sign } = require('cookie-signature')

const secret = 'keyboard cat'
/** No `Store` of express-session: it has no createSession of its own. */
const records = new Map()
const store = {
  get: (id, done) => setImmediate(done, null, records.get(id) && JSON.parse(records.get(id))),
  set: (id, record, done = () => {}) => setImmediate(done, records.set(id, JSON.stringify(record)) && null),
  destroy: (id, done = () => {}) => setImmediate(done, records.delete(id) && null),
}
const cookieOf = (id) => `connect.sid=${encodeURIComponent(`s:${sign(id, secret)}`)}`
for (const user of ['ann', 'bob']) store.set(user, { cookie: { originalMaxAge: null }, user })

const server = createServer()
const cors = { origin: 'https://page.example', credentials: true }
const io = new Server(server, { cors, connectionStateRecovery: { maxDisconnectionDuration: 60_000 } })
io.of('/early')
const dynamic = io.of(/^\/dynamic-/)
const order = []
const sessions = handshakeSession({ store, secret }).attach(io)
dynamic.use((socket, next) => next(order.push(socket.handshake.session?.user) && undefined))

const rooms = []
io.on('connection', (socket) => {
  if (!socket.recovered) socket.join('secret')
  rooms.push([socket.handshake.session.user, socket.recovered, socket.rooms.has('secret')])
})

function open(path, user, options = {}) {
  const url = `http://127.0.0.1:${server.address().port}${path}`
  const extraHeaders = { ...options.headers, ...(user && { cookie: cookieOf(user) }) }
  return connect(url, { forceNew: true, reconnectionDelay: 10, transports: ['websocket'], extraHeaders })
}

/** 'connect', or the code of the refusal. */
async function fate(client) {
  const outcome = await Promise.race([
    once(client, 'connect').then(() => 'connect'),
    once(client, 'connect_error').then(([error]) => error.data?.code ?? error.message),
  ])
  client.disconnect()
  return outcome
}

async function visit() {
  io.of('/late')
  for (const path of ['/', '/early', '/late', '/dynamic-1']) {
    assert.equal(await fate(open(path)), 'ERR_SESSION_COOKIE_MISSING', `${path} is guarded`)
    assert.equal(await fate(open(path, 'ann')), 'connect', `${path} is open to a session`)
  }
  assert.deepEqual(order, ['ann'], 'in a dynamic namespace the guard comes before the other middlewares')
  for (const [origin, outcome] of [
    ['https://page.example', 'connect'],
    ['https://evil.example', 'ERR_SESSION_ORIGIN'],
  ]) {
    assert.equal(await fate(open('/', 'ann', { headers: { origin } })), outcome, `cors.origin: ${origin}`)
  }
  for (const [user, isRecovered] of [
    ['ann', true],
    ['bob', false],
  ]) {
    const client = open('/', 'ann')
    await once(client, 'connect')
    const told = once(client, 'hello')
    io.emit('hello') // With an offset, by which the client asks for what it misses.
    await told
    rooms.length = 0
    client.io.opts.extraHeaders.cookie = cookieOf(user)
    client.io.engine.close()
    await once(client, 'connect')
    assert.deepEqual(rooms, [[user, isRecovered, true]], `recovery by ${user}`)
    assert.equal(client.recovered, isRecovered, `${user} is told so`)
    client.disconnect()
  }
  const sent = []
  class Others extends Adapter {
    serverSideEmit([, news]) {
      sent.push(news)
    }
  }
  await sessions.update('ann', (s) => (s.count = 1))
  io.adapter(Others)
  await sessions.update('ann', (s) => (s.count = 2))
  await new Promise(setImmediate)
  assert.deepEqual(
    sent,
    [{ changed: [sessions.room('ann')] }],
    'an adapter of other nodes is used, also one that comes later',
  )
  const { cause } = await sessions.explain({ headers: { cookie: cookieOf('carl') } })
  assert.match(cause, /not given this store/, 'that express-session has another store is seen')
  session({ store: Object.assign(store, { on() {} }), secret, resave: false, saveUninitialized: false })
  const { cause: other } = await sessions.explain({ headers: { cookie: cookieOf('carl') } })
  assert.match(other, /expired or was destroyed/, 'and that it has this one')
  await askMiddleware()
  process.exit(0)
}

/** What `session()` says of itself to handshakeSession(sessionMiddleware), and that it does nothing else by that. */
async function askMiddleware() {
  const forbidden = new session.Store()
  for (const method of ['get', 'set', 'touch', 'destroy']) forbidden[method] = () => assert.fail(`${method} is called`)
  const genid = () => assert.fail('genid is called')
  const quiet = { resave: false, saveUninitialized: false, store: forbidden, genid }
  const headers = (id, name, by) => ({ cookie: `${name}=${encodeURIComponent(`s:${sign(id, by)}`)}` })
  const why = async (sessions, request) => (await sessions.explain(request)).code
  for (const options of [
    { secret },
    { secret: ['new', secret], name: 'mine' },
    { secret, key: 'mine', proxy: true, cookie: { secure: true, path: '/app' } },
    { secret, rolling: true, cookie: { secure: 'auto', maxAge: 1_000 } },
  ]) {
    const asked = handshakeSession(session({ ...quiet, ...options }))
    const name = options.name ?? options.key ?? 'connect.sid'
    forbidden.get = (id, done) => done(null, id === 'ann' ? { cookie: {}, user: 'ann' } : null)
    const url = '/app/socket.io/?EIO=4'
    const own = asked.load({ headers: headers('ann', name, secret), url })
    assert.equal((await own).user, 'ann', 'the id in its cookie is found')
    assert.equal(await why(asked, { headers: headers('ann', name, 'x'), url }), 'ERR_SESSION_SIGNATURE')
    assert.equal(await why(asked, { headers: {}, url }), 'ERR_SESSION_COOKIE_MISSING')
    const beyond = await why(asked, { headers: headers('ann', name, secret), url: '/socket.io/' })
    assert.equal(beyond, options.cookie?.path ? 'ERR_SESSION_COOKIE_MISSING' : undefined, 'its path is judged')
    forbidden.emit('disconnect')
    assert.equal(await why(asked, { headers: headers('ann', name, secret), url }), 'ERR_SESSION_STORE')
    forbidden.emit('connect')
    asked.close()
  }
  const { secret: _, ...unsigned } = { ...quiet, secret }
  assert.throws(() => handshakeSession(session(unsigned)), /use handshakeSession\(\{ store, secret/)
}

server.listen(0, '127.0.0.1', visit)
