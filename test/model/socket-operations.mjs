/**
 * What clients do with sockets, and what the handlers of their events do with the session.
 */
import { clock } from './clock.mjs'
import { Client } from './connection.mjs'

/** Clients: who connects, joins another namespace, leaves, comes back; all others send an event. */
export const clientOperations = {
  connect: (world, operation) => {
    const browser = world.browsers[operation.browser]
    connect(world, operation, { cookie: browser.cookie, expected: browser.id })
  },
  'connect by ticket': (world, operation) => {
    const { tickets } = world.browsers[operation.browser]
    const ticket = tickets[operation.choice % (tickets.length || 1)]
    if (!ticket) return world.done(operation, { message: 'no ticket' })
    return connect(world, operation, { auth: { ticket: ticket.ticket }, ticket, expected: ticket.id })
  },
  join: (world, operation) => {
    const client = world.clients[operation.slot]
    if (!client?.isOpen) return world.done(operation, { message: 'no client' })
    return client.join('/chat', (error) => world.done(operation, error))
  },
  leave: (world, operation) => {
    world.clients[operation.slot]?.leave()
    world.done(operation)
  },
  reconnect: (world, operation) => {
    const old = world.clients[operation.slot]
    if (!old) return world.done(operation, { message: 'no client' })
    const { recovery } = old.sockets.get('/') ?? {}
    if (old.isOpen) old.leave()
    const browser = operation.choice % 2 ? old.browser : world.browsers[operation.browser] // Who knows the private id.
    const auth = recovery?.offset ? recovery : undefined
    return connect(
      world,
      { ...operation, only: '/' },
      { cookie: browser.cookie, expected: browser.id, auth },
      operation,
    )
  },
}

function connect(world, operation, { cookie, auth, ticket, expected }, told = operation) {
  const node = world.nodes[operation.node]
  const browser = world.browsers[operation.browser]
  const client = new Client(world, node, browser, { auth, cookie, id: `client-${told.index}` })
  Object.assign(client, { expected, ticket, begun: clock.now })
  told.id = expected
  world.clients[operation.slot]?.leave()
  world.clients[operation.slot] = client
  const names = operation.only ? [operation.only] : [['/'], ['/', '/chat'], ['/chat']][operation.choice % 3]
  let open = names.length
  let refusal
  for (const name of names) {
    client.join(name, (error) => {
      refusal ??= error
      if (--open === 0) world.done(told, refusal)
    })
  }
}

/** Sends an event, if there is a socket. */
export function send(world, operation) {
  const client = world.clients[operation.slot]
  const joined = [...(client?.sockets.values() ?? [])].filter(({ state }) => state === 'connected')
  const socket = client?.isOpen && joined[operation.choice % (joined.length || 1)]
  if (!socket) return world.done(operation, { message: 'no socket' })
  operation.socket = client.node.socketOf(client, socket.name)
  operation.id = operation.socket?.sessionID
  return client.emit(socket, operation.index, (error) => world.done(operation, error))
}

/** What handlers do; each calls `done` once. */
export const handlers = {
  look: (_context, done) => done(),
  'save own': (context, done) => save(context, 'own', done),
  'save shared': (context, done) => save(context, 'shared', done),
  'save delete': (context, done) => save(context, 'delete', done),
  'save count': (context, done) => save(context, 'list of node', done),
  update: ({ world, operation, node, socket }, done) => {
    const target = operation.choice % 2 ? socket : socket.sessionID
    world.update(operation, node, target, socket.sessionID, done)
  },
  'socket reload': ({ world, node, socket }, done) => {
    const id = socket.sessionID
    const floor = world.ledger.floor(node.number, id)
    socket.session.reload((error) => {
      if (!error) world.oracle.sees(node.number, id, socket.session, 'reload', { floor })
      done(error)
    })
  },
  'socket destroy': ({ world, node, socket }, done) => {
    const ending = world.ending(node.number, socket.sessionID)
    socket.session.destroy((error) => {
      ending(error)
      done(error)
    })
  },
}

function save({ world, operation, node, socket }, what, done) {
  const write = world.change(operation, node.number, socket.sessionID, socket.session, what)
  if (!write) return done()
  world.oracle.changedHere(write, socket.session[write.key])
  const begin = () =>
    socket.session.save((error) => {
      if (!error) {
        world.ledger.acknowledge(write)
        world.oracle.settled(write)
      }
      done(error)
    })
  return operation.think && operation.isAsync ? clock.after(operation.think, begin) : begin()
}
