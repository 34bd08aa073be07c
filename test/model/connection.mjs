/**
 * A client, and its Engine.IO connection as the Socket.IO server sees it. Packets take time, and keep their order.
 */
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { clock } from './clock.mjs'

const { Decoder, Encoder, PacketType } = createRequire(import.meta.url)('socket.io-parser')

/** What the server has of a client: the public part of an Engine.IO socket. */
class MockConnection extends EventEmitter {
  protocol = 4
  readyState = 'open'
  transport = { name: 'websocket', writable: true }
  remoteAddress = '127.0.0.1'

  constructor(id, headers, client) {
    super()
    this.id = id
    this.request = { headers, connection: {}, method: 'GET', url: '/socket.io/?EIO=4&transport=websocket', _query: {} }
    this.client = client
  }

  write(data) {
    this.client.arrives(() => this.client.decoder.add(data))
    return this
  }

  close() {
    if (this.readyState !== 'open') return this
    this.readyState = 'closing'
    clock.after(this.client.world.network() / 4, () => this.closed('forced close'))
    return this
  }

  closed(reason) {
    if (this.readyState === 'closed') return
    this.readyState = 'closed'
    this.emit('close', reason)
    this.client.arrives(() => this.client.closed())
  }
}

/** One connection of a browser, and its sockets: one per namespace. */
export class Client {
  /** @type {Map<string, ClientSocket>} */
  sockets = new Map()
  isOpen = true
  decoder = new Decoder()
  #lastSent = 0
  #lastArrived = 0

  /** @param {object} auth what CONNECT packets carry: a ticket, or what recovery wants */
  constructor(world, node, browser, { auth, cookie, id }) {
    Object.assign(this, { world, node, browser, auth, id })
    const headers = cookie ? { cookie } : {}
    this.connection = new MockConnection(`connection-${world.connections.length}`, headers, this)
    world.connections.push(this.connection)
    this.decoder.on('decoded', (packet) => this.#received(packet))
    this.travels(() => node.io.onconnection(this.connection))
  }

  /** @param {(error?: object) => void} answered once: let in, refused, or the connection closed */
  join(name, answered) {
    if (!this.isOpen || this.sockets.has(name)) return answered(new Error('is there already'))
    this.sockets.set(name, new ClientSocket(name, answered))
    return this.#send({ type: PacketType.CONNECT, nsp: name, data: this.auth ?? {} })
  }

  /** Sends an event with the number of an operation. @param {(error?: object) => void} answered once */
  emit(socket, index, answered) {
    const id = socket.sent++
    socket.waiting.set(id, answered)
    this.#send({ type: PacketType.EVENT, nsp: socket.name, data: ['operation', index, id], id })
  }

  /** The client leaves, or the network fails. */
  leave() {
    this.isOpen = false
    this.travels(() => this.connection.closed('transport close'))
  }

  closed() {
    this.isOpen = false
    for (const socket of this.sockets.values()) socket.closed()
  }

  /** From the client to the server, in order. */
  travels(work) {
    this.#lastSent = Math.max(this.#lastSent, clock.now + this.world.network())
    clock.after(this.#lastSent - clock.now, work)
  }

  /** From the server to the client, in order. */
  arrives(work) {
    this.#lastArrived = Math.max(this.#lastArrived, clock.now + this.world.network())
    clock.after(this.#lastArrived - clock.now, work)
  }

  #send(packet) {
    for (const part of new Encoder().encode(packet)) {
      this.travels(() => this.connection.readyState === 'open' && this.connection.emit('data', part))
    }
  }

  #received({ type, nsp, data, id }) {
    const socket = this.sockets.get(nsp)
    if (!socket) return
    if (type === PacketType.CONNECT) socket.connected(data)
    else if (type === PacketType.CONNECT_ERROR) socket.refused(data)
    else if (type === PacketType.ACK) socket.answered(id, data)
    else if (type === PacketType.DISCONNECT) socket.closed()
    else if (type === PacketType.EVENT) socket.heard(data, this)
  }
}

class ClientSocket {
  /** @type {'connecting' | 'connected' | 'refused' | 'closed'} */
  state = 'connecting'
  sent = 0
  /** Events that were not answered yet. */
  waiting = new Map()
  /** What recovery wants: the private id, and the offset of the last packet. */
  recovery = undefined

  constructor(name, joined) {
    this.name = name
    this.joined = joined
  }

  connected({ pid }) {
    this.state = 'connected'
    this.recovery = { pid, offset: undefined }
    this.joined()
  }

  refused(error) {
    this.state = 'refused'
    this.joined(error)
  }

  answered(id, [error]) {
    const answer = this.waiting.get(id)
    this.waiting.delete(id)
    answer?.(error ?? undefined)
  }

  closed() {
    if (this.state === 'connecting') this.joined({ message: 'closed' })
    this.state = 'closed'
    for (const answer of this.waiting.values()) answer({ message: 'closed' })
    this.waiting.clear()
  }

  /** A broadcast of the app: the id of the session that it is for, and with recovery the packet's offset. */
  heard([, id, offset], client) {
    if (offset) this.recovery = { ...this.recovery, offset }
    client.world.heard(client, id)
  }
}
