/**
 * One history: sets up the nodes, lets the operations of the plan happen at their times, and keeps what the parts share.
 */
import { createRequire } from 'node:module'
import { clock } from './clock.mjs'
import { Faults } from './faults.mjs'
import { kindsOf, nodesOf } from './history.mjs'
import { Browser } from './http.mjs'
import { ask } from './http-operations.mjs'
import { Ledger } from './ledger.mjs'
import { Node } from './node.mjs'
import { Oracle } from './oracle.mjs'
import { Random } from './random.mjs'
import { serverOperations, update } from './server-operations.mjs'
import { clientOperations, handlers, send } from './socket-operations.mjs'
import { Database } from './store.mjs'

const require = createRequire(import.meta.url)

export class World {
  nodes = []
  browsers = [new Browser('ann'), new Browser('bob')]
  clients = []
  connections = []
  /** Operations that were not answered yet. */
  open = new Set()
  lines = []
  /** Every session's cookie. @type {Map<string, string>} */
  cookies = new Map()
  /** Those that have begun, by their index. */
  operations = new Map()
  nextProbe = 1_000
  #ids = 0

  /** @param {import('./history.mjs').Plan} plan @param {object} profile @param {{ isTraced?: boolean, program?: string }} run */
  constructor(plan, profile, { isTraced = false, program = 'handshake-session' } = {}) {
    clock.reset(`${plan.seed} program`)
    Object.assign(this, { plan, profile, isTraced, setting: plan.setting, options: plan.options })
    this.random = new Random(`${plan.seed} world`)
    this.faults = new Faults(profile.faults, this)
    this.ledger = new Ledger(this)
    this.oracle = new Oracle(this)
    this.database = new Database(plan.setting.touch, this.ledger)
    const { handshakeSession } = require(program)
    for (let number = 0; number < nodesOf(profile); number++) this.nodes.push(new Node(this, number, handshakeSession))
    for (const operation of plan.operations) clock.after(operation.at, () => this.#begin({ ...operation }))
  }

  /** A line of the trace, whose text is made only if somebody will read it. */
  trace(who, what, value = '') {
    if (!this.isTraced) return
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    this.lines.push(`${clock.now.toFixed(2).padStart(9)} ${who}: ${what} ${text}`)
  }

  newID() {
    return `session-${String(++this.#ids).padStart(4, '0')}`
  }

  /** How long something takes on the network, in ms. */
  network() {
    return this.random.next() * 3
  }

  /** A response sets a browser's cookie. @param {string | string[]} setCookie */
  keeps(browser, setCookie) {
    browser.cookie = String(setCookie).split(';')[0]
    this.cookies.set(browser.id, browser.cookie)
  }

  #begin(operation) {
    this.operations.set(operation.index, operation)
    this.open.add(operation)
    operation.begun = clock.now
    const { kind: name, index, at, begun, ...details } = operation
    this.trace(`#${index}`, `${name} begins`, details)
    const kind = kindsOf[name]
    if (kind === 'http') ask(this, operation)
    else if (kind === 'client') clientOperations[operation.kind](this, operation)
    else if (kind === 'server') serverOperations[operation.kind](this, operation)
    else send(this, operation)
  }

  done(operation, error) {
    if (!this.open.delete(operation) && !operation.isGivenUp)
      this.oracle.violate('answered once', `#${operation.index} ${operation.kind}`)
    this.trace(`#${operation.index}`, 'is over', error ? (error.data?.code ?? error.code ?? error.message) : '')
    if (error) this.oracle.refused(operation, error)
  }

  /** An event reached its handler. */
  handle(node, socket, index, number, answer) {
    const operation = this.operations.get(index)
    const { session, sessionID } = socket.handshake
    this.trace(`#${index}`, `is handled on node ${node.number}`, session)
    this.oracle.inOrder(operation, { number, last: socket.handled, mayMiss: Boolean(this.profile.faults) })
    socket.handled = number
    operation.isHandled = true
    if (!session) return answer()
    this.oracle.handlerSees(node.number, sessionID, session, `#${index}`)
    if (operation.isProbe) this.oracle.isExactly(node.number, sessionID, session, 'a handler when all is quiet')
    return handlers[operation.kind]({ world: this, operation, node, socket }, answer)
  }

  /** A socket is connected. */
  connected(node, socket) {
    const { client } = socket.conn
    const { session, sessionID } = socket.handshake
    this.trace(
      `node ${node.number}`,
      `${client.id} ${socket.recovered ? 'is back in' : 'is connected to'} ${socket.nsp.name}`,
      session,
    )
    if (!session) return
    const isRight = sessionID === client.expected && session.id === sessionID
    if (!isRight)
      this.oracle.violate('the right session', `${client.id} has ${sessionID}, its cookie ${client.expected}`)
    if (socket.recovered && socket.data.id !== sessionID)
      this.oracle.violate('the right session', `${client.id} recovered ${socket.data.id}`)
    socket.data.id = sessionID
    if (client.ticket) this.#redeemed(client)
    this.oracle.handlerSees(node.number, sessionID, session, `connection of ${client.id}`)
  }

  #redeemed({ ticket, connection }) {
    ticket.by ??= connection
    if (ticket.by !== connection) this.oracle.violate('tickets once', `of ${ticket.id}`)
  }

  /** A client got what the app sent to the room of a session. */
  heard(client, id) {
    if (client.expected !== id)
      this.oracle.violate('the right session', `${client.id} of ${client.expected} got what is for ${id}`)
  }

  /** Somebody ends a session. @returns to be called with the answer */
  ending(node, id) {
    const ending = { node, begun: clock.now, isAcknowledged: false }
    const { ledger } = this
    ledger.story(id).endings.push(ending)
    return (error) => {
      ending.ended = clock.now
      if (error) return
      ending.isAcknowledged = true
      const gone = ledger.story(id).states.findLast(({ texts, at }) => !texts && at >= ending.begun)
      if (gone) ledger.raise(node, id, gone.order)
    }
  }

  /** Changes a session object. @returns {import('./story.mjs').Write | undefined} */
  change(operation, node, id, session, what, suffix = '') {
    const token = `t${operation.index}${suffix}`
    const begin = (key, text) => this.ledger.begin(operation, id, node, key, text)
    if (what === 'delete') {
      const keys = Object.keys(session).filter((key) => /^own\d/.test(key) && this.ledger.hasLanded(id, key))
      const key = keys[operation.choice % (keys.length || 1)]
      if (!key) return undefined
      delete session[key]
      return begin(key, undefined)
    }
    if (what === 'own' || what === 'shared') {
      const key = what === 'own' ? `own${operation.index}${suffix}` : 'shared'
      session[key] = token
      return begin(key, JSON.stringify(token))
    }
    const key = what === 'list' ? 'list' : `list${node}`
    session[key] = [...(session[key] ?? []), token]
    if (what === 'list') session.count = (session.count ?? 0) + 1
    return begin(key, token)
  }

  update(...args) {
    update(this, ...args)
  }
}
