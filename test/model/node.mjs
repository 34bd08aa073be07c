/**
 * One node: express-session, a Socket.IO server and the package under test, wired as an app does it by the public API.
 */
import { createRequire } from 'node:module'
import { authorizeOf, mayBeForbidden } from './authorize.mjs'
import { clock } from './clock.mjs'
import { nodesOf } from './history.mjs'
import { addCompareAndSet, SimulatedStore, SimulatedStoreWithoutTouch } from './store.mjs'

const require = createRequire(import.meta.url)
const expressSession = require('express-session')
const { Server } = require('socket.io')
const { Adapter, SessionAwareAdapter } = require('socket.io-adapter')
const secret = 'of the model'

export class Node {
  /** What sessions ended, as the instances told. @type {{ instance: number, sessionID: string, reason: string }[]} */
  endings = []
  /** The ids of sessions whose connections were closed. */
  closedByServer = new Set()
  /** @type {Set<import('socket.io').Socket>} */
  sockets = new Set()

  /** @param {typeof import('handshake-session')['handshakeSession']} handshakeSession */
  constructor(world, number, handshakeSession) {
    Object.assign(this, { world, number })
    const { options, setting, profile } = world
    this.store = new (setting.touch === 'none' ? SimulatedStoreWithoutTouch : SimulatedStore)(world, number)
    if (setting.cas) addCompareAndSet(this.store)
    this.middleware = expressSession({
      ...{ store: this.store, secret, resave: false, saveUninitialized: false, cookie: { maxAge: setting.maxAge } },
      genid: () => world.newID(),
    })
    this.untouched = { ...this.store }
    const recovery = profile.recovery ? { connectionStateRecovery: {} } : {}
    this.io = new Server({ adapter: adapterOf(world, this), connectTimeout: 20_000, ...recovery })
    const onError = (error, { stage }) => world.trace(`node ${number}`, `onError at ${stage}: ${error.code}`)
    const given = { store: this.store, secret, ...options, authorize: authorizeOf(world), onError }
    if (!this.isServer) given.emitter = { serverSideEmit: (...packet) => tellOthers(world, this, '/', packet) }
    this.sessions = Array.from({ length: profile.instances ?? 1 }, (_, instance) =>
      handshakeSession(given).on('end', (end) => this.#ended(instance, end)),
    )
    this.#serve()
  }

  /** Whether clients connect here. The others serve HTTP only, and have an emitter. */
  get isServer() {
    return this.number < this.world.profile.nodes
  }

  #serve() {
    this.io.of('/').on('connection', (socket) => this.#connected(socket))
    this.listening = this.io.sockets.eventNames()
    if (this.isServer) this.sessions[0].attach(this.io)
    const chat = this.io.of(this.world.profile.isDynamic ? /^\/chat$/ : '/chat')
    chat.on('connection', (socket) => this.#connected(socket))
  }

  #connected(socket) {
    const { client } = socket.conn
    const { session, sessionID } = socket.handshake
    this.sockets.add(socket)
    Object.assign(socket, { handled: -1, refused: 0, session, sessionID })
    socket.on('disconnect', (reason) => {
      this.sockets.delete(socket)
      if (!sessionID || reason !== 'forced close') return
      if (!mayBeForbidden(this.world, sessionID, client.begun)) this.closedByServer.add(sessionID)
      this.world.oracle.closed(client, sessionID)
    })
    socket.on('error', (error) => {
      socket.refused++
      this.world.trace(
        `node ${this.number}`,
        `an event of ${client.id} ${socket.nsp.name} is refused: ${error.message}`,
      )
    })
    socket.on('operation', (index, number, answer) => {
      this.world.handle(this, socket, index, number, (error) =>
        answer(error && { code: error.code, message: error.message }),
      )
    })
    this.world.connected(this, socket)
  }

  #ended(instance, { sessionID, reason }) {
    this.world.trace(`node ${this.number}`, `end of ${sessionID}: ${reason}`)
    this.endings.push({
      instance,
      sessionID,
      reason,
      held: [...this.sockets].filter((s) => s.sessionID === sessionID).length,
    })
  }

  /** The server's socket of a client in a namespace. */
  socketOf(client, name) {
    return [...this.sockets].find((socket) => socket.conn === client.connection && socket.nsp.name === name)
  }
}

function adapterOf(world, node) {
  const Base = world.profile.recovery ? SessionAwareAdapter : Adapter
  const Used = nodesOf(world.profile) > 1 ? adapterOfMany(Base, world, node) : Base
  // Its own timer runs for ever.
  return function create(namespace) {
    return clock.foreign(() => new Used(namespace))
  }
}

function adapterOfMany(Base, world, node) {
  return class DelayingAdapter extends Base {
    serverSideEmit(packet) {
      tellOthers(world, node, this.nsp.name, packet)
    }
  }
}

/** News to other nodes take time, to each another, or get lost. One without a server hears none. */
function tellOthers(world, node, namespace, packet) {
  const news = JSON.stringify(packet)
  const heard = world.ledger.knownTo(node.number, news, node.sessions[0])
  for (const other of world.nodes) {
    if (other !== node && other.isServer) tell(world, other, namespace, { news, heard })
  }
}

function tell(world, other, namespace, { news, heard }) {
  if (world.random.chance(world.setting.lostNews)) {
    world.trace(`node ${other.number}`, `does not hear ${news}`)
    for (const [id] of heard) world.ledger.story(id).lostNews.push(clock.now)
    return
  }
  clock.after(world.random.next() * world.setting.newsTime, () => {
    world.trace(`node ${other.number}`, `hears ${news}`)
    for (const [id, order] of heard) world.ledger.raise(other.number, id, order)
    other.io.of(namespace)._onServerSideEmit(JSON.parse(news))
  })
}
