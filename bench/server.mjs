// The server process of one peer: `node --expose-gc bench/server.mjs <peer> [Redis]`, forked by run.mjs, which asks it over IPC.
// Everything but the peer itself is the same for all: Express, Socket.IO and a store that counts.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setImmediate as tick } from 'node:timers/promises'
import express from 'express'
import session from 'express-session'
import { Server } from 'socket.io'
import { allocated } from './allocations.mjs'
import { namespaces, secret } from './client.mjs'
import { peers } from './peers/index.mjs'
import { openStore } from './stores.mjs'
import { openWireless } from './wireless.mjs'

const { store, counts } = await openStore(process.argv[3])
const options = { store, secret, resave: false, saveUninitialized: false }
const middleware = session(options)
const app = express().use(middleware)
app.get('/rename/:user', (req, res) => {
  req.session.user = req.params.user
  res.end()
})
app.get('/login', (req, res) => {
  Object.assign(req.session, { user: 'ann', visits: 0, theme: 'dark' })
  res.end()
})
app.get('/page', (req, res) => res.end(req.session.user))
app.get('/add', (req, res) => {
  req.session.visits++
  res.end()
})
app.get('/logout', (req, res) => req.session.destroy(() => res.end()))
const server = createServer(app)
const io = new Server(server)
for (const name of namespaces) io.of(name)
const { install } = await peers[process.argv[2]].load()
const peer = install({ io, middleware, options, isShared: process.argv[3] !== undefined }) ?? {}

const answers = {
  /** Sessions as an Express route would have left them. */
  create(ids) {
    for (const id of ids) {
      store.sessions[id] = JSON.stringify({ cookie: new session.Cookie(), user: 'ann', visits: 0, theme: 'dark' })
    }
  },

  stored: (id) => JSON.parse(store.sessions[id]),

  /** CPU time in µs, and what the store was asked for, since the process began. */
  async usage() {
    await tick()
    await tick()
    const { user, system } = process.cpuUsage()
    return { cpu: user + system, ...counts() }
  },

  /** When nothing is known any more of connections that have left. */
  forget: () => peer.forget?.(),

  /** Bytes in use after garbage collection. */
  async heap() {
    for (let pass = 0; pass < 3; pass++) {
      await tick()
      globalThis.gc()
    }
    return process.memoryUsage().heapUsed
  },

  /** When no more than so many connections are left. */
  async idle(count) {
    while (io.engine.clientsCount > count) await tick()
    await tick()
  },

  /** CPU time in µs of one call headers → session, `together` of them at a time. */
  async load(cookies, together = 50) {
    for (let pass = 0; pass < 2; pass++) globalThis.gc({ type: 'minor' }) // The cookies themselves are not to be copied in between.
    const started = process.cpuUsage()
    for (let at = 0; at < cookies.length; at += together) {
      await Promise.all(cookies.slice(at, at + together).map(peer.load))
    }
    const { user, system } = process.cpuUsage(started)
    return (user + system) / cookies.length
  },

  /** Connections without a network that come and go: bytes, in thousands, that each allocates. */
  async allocated(cookies) {
    const { bytes } = await allocated(async () => {
      for (const connection of await openWireless(io, cookies)) connection.close()
    })
    return bytes / cookies.length / 1_000
  },

  /** Connections without a network: CPU time in µs and bytes of heap of each. */
  async crowd(cookies) {
    const empty = await answers.heap()
    const started = process.cpuUsage()
    const connections = await openWireless(io, cookies)
    const { user, system } = process.cpuUsage(started)
    const full = await answers.heap()
    for (const connection of connections) connection.close()
    return { cpu: (user + system) / cookies.length, heap: (full - empty) / cookies.length / 1_000 }
  },

  revoke: (id) => peer.revoke(id),
}

process.on('message', async ({ call, question, args }) => {
  try {
    process.send({ call, answer: await answers[question](...args) })
  } catch (error) {
    process.send({ call, error: String(error?.stack ?? error) })
  }
})
process.on('disconnect', () => process.exit())
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
await once(server, 'listening')
process.send({ port: server.address().port })
