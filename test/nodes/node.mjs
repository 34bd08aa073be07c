// One node of several, as a process of its own: Express and Socket.IO on a Redis that all share.
// argv[2]: { adapter, redisUrl, freshFor, recheck, dropEverySecond, httpOnly } as JSON. Sends { url } when it listens.

import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createAdapter as createClusterAdapter, setupPrimary } from '@socket.io/cluster-adapter'
import { createAdapter as createRedisAdapter } from '@socket.io/redis-adapter'
import { Emitter } from '@socket.io/redis-emitter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import { handshakeSession } from 'handshake-session'
import { createClient } from 'redis'
import { Server } from 'socket.io'

const given = JSON.parse(process.argv[2])

/** The cluster adapter wants its nodes to be workers of one primary, which this process then is. */
function startWorkers() {
  setupPrimary()
  for (let i = 0; i < given.workers; i++) {
    cluster.fork().on('message', (message) => message.url && process.send(message))
  }
}

async function connectRedis() {
  const client = createClient({ url: given.redisUrl })
  client.on('error', () => {})
  await client.connect()
  return client
}

const adapters = {
  'redis-adapter': async (redis) => {
    const subscriber = redis.duplicate()
    subscriber.on('error', () => {})
    await subscriber.connect()
    return createRedisAdapter(redis, subscriber)
  },
  'redis-streams-adapter': async (redis) => createStreamsAdapter(redis),
  'cluster-adapter': async () => createClusterAdapter(),
}

/** Loses every second message, as a network might. */
function dropping(adapter) {
  let count = 0
  return function Dropping(namespace) {
    const made = adapter(namespace)
    const emit = made.serverSideEmit
    made.serverSideEmit = (packet) => (count++ % 2 === 0 ? undefined : emit.call(made, packet))
    return made
  }
}

async function startNode() {
  const redis = await connectRedis()
  const options = { store: new RedisStore({ client: redis }), secret: 'keyboard cat' }
  const app = express()
  app.use(session({ ...options, resave: false, saveUninitialized: false }))
  const server = createServer(app)
  const emitter = given.httpOnly === 'with emitter' ? new Emitter(redis) : undefined
  const sessions = handshakeSession({ ...options, freshFor: given.freshFor, recheck: given.recheck, emitter })
  if (!given.httpOnly) {
    const adapter = await adapters[given.adapter](redis)
    const io = new Server(server, { adapter: given.dropEverySecond ? dropping(adapter) : adapter })
    sessions.attach(io)
    io.on('connection', (socket) => {
      socket.on('read', (key, answer) => answer(socket.handshake.session[key] ?? null))
    })
  }
  app.get('/login/:user', (req, res) => {
    req.session.user = req.params.user
    res.json({})
  })
  app.get('/set/:key/:value', (req, res) => {
    req.session[req.params.key] = req.params.value
    res.json({})
  })
  app.get('/logout', (req, res) => req.session.destroy(() => res.json({})))
  app.get('/regenerate', (req, res) => req.session.regenerate(() => res.json({})))
  app.get('/revoke', (req, res) => sessions.revoke(req.sessionID).then(() => res.json({})))
  server.listen({ port: 0, host: '127.0.0.1', exclusive: true })
  await once(server, 'listening')
  process.send({ url: `http://127.0.0.1:${server.address().port}` })
}

if (given.adapter === 'cluster-adapter' && cluster.isPrimary) startWorkers()
else await startNode()
process.on('disconnect', () => process.exit())
