/**
 * What the app does by the API, without a socket: `update`, `revoke`, `load`, a broadcast, the end of an instance. And
 * what happens to the machine: its clock is set back.
 */
import { clock } from './clock.mjs'
import { textsOf } from './story.mjs'

/** The session that a browser has now, on a node. */
function target(world, operation) {
  const { node, browser, choice } = operation
  const { id, cookie } = world.browsers[browser]
  operation.id = id
  const { sessions } = world.nodes[node]
  return { id, cookie, sessions: sessions[choice % sessions.length], number: node, node: world.nodes[node] }
}

export const serverOperations = {
  'update by id': (world, operation) => {
    const { id, node } = target(world, operation)
    if (!id) return world.done(operation, { message: 'nobody' })
    return update(world, operation, node, id, id, (error) => world.done(operation, error))
  },
  revoke: (world, operation) => {
    const { id, sessions, number } = target(world, operation)
    if (!id) return world.done(operation, { message: 'nobody' })
    const ending = world.ending(number, id)
    return settle(world, operation, sessions.revoke(id), { done: ending, failed: ending })
  },
  load: (world, operation) => load(world, operation, () => world.done(operation)),
  'load and save': (world, operation) =>
    load(world, operation, (session, number, id) => {
      const write = world.change(operation, number, id, session, 'own')
      world.oracle.changedHere(write, session[write.key])
      session.save((error) => {
        if (!error) {
          world.ledger.acknowledge(write)
          world.oracle.settled(write)
        }
        world.done(operation, error)
      })
    }),
  explain: (world, operation) => {
    const { id, cookie, sessions, number } = target(world, operation)
    if (!id) return world.done(operation, { message: 'nobody' })
    const isOver = world.ledger.story(id).isDestroyedBy(number)
    return sessions.explain({ headers: { cookie } }).then(({ code }) => {
      if (isOver && !code) world.oracle.violate('nothing after the end', `#${operation.index} lets in to ${id}`)
      world.done(operation, code && { code })
    })
  },
  broadcast: (world, operation) => {
    const { id, node, sessions } = target(world, operation)
    if (id) node.io.to(sessions.room(id)).emit('hello', id)
    world.done(operation)
  },
  'close the second': (world, operation) => {
    world.nodes[operation.node].sessions[1]?.close()
    world.done(operation)
  },
  /** It compares and sets, and tells nobody. */
  'another program': (world, operation) => {
    const { id } = target(world, operation)
    const json = id && world.database.read(id)
    if (!json) return world.done(operation, { message: 'nobody' })
    const record = JSON.parse(json)
    const node = world.nodes.length
    const write = world.change(operation, node, id, record, ['own', 'shared', 'list'][operation.variant % 3])
    const effect = { kind: 'set', node, issuedAt: clock.now, lastRead: world.ledger.order, isCompared: true }
    world.database.write(id, JSON.stringify(record), effect)
    world.ledger.acknowledge(write)
    return world.done(operation)
  },
  'set the clock back': (world, operation) => {
    clock.wallOffset -= 3_600_000
    world.done(operation)
  },
}

function load(world, operation, loaded) {
  const { id, cookie, sessions, number } = target(world, operation)
  if (!id) return world.done(operation, { message: 'nobody' })
  const isOver = world.ledger.story(id).isDestroyedBy(number)
  const floor = world.ledger.floor(number, id)
  return sessions.load({ headers: { cookie } }).then(
    (session) => {
      if (isOver) world.oracle.violate('nothing after the end', `#${operation.index} loaded ${id}, which was destroyed`)
      world.oracle.sees(number, id, session, `load of #${operation.index}`, { floor })
      loaded(session, number, id)
    },
    (error) => world.done(operation, error),
  )
}

/** @param {string | object} wanted a socket or an id @param {(error?: Error) => void} answered */
export function update(world, operation, node, wanted, id, answered) {
  const what = ['list', 'list', 'own', 'shared', 'delete', 'throw'][operation.variant % 6]
  const floor = world.ledger.floor(node.number, id)
  const instance =
    typeof wanted === 'string' ? node.sessions[operation.choice % node.sessions.length] : node.sessions[0]
  let write
  const change = (session, begun = clock.now) => {
    world.oracle.sees(node.number, id, session, `update of #${operation.index}`, { floor, begun, isDraft: true })
    const before = textsOf(session)
    const again = world.change(operation, node.number, id, session, what === 'throw' ? 'own' : what)
    if (write && again && write.key === again.key) write.story.writes.splice(write.story.writes.indexOf(again), 1)
    else write = again
    if (what === 'throw') {
      write.isForbidden = true
      throw new Error('thrown by change')
    }
    world.oracle.drafted(operation, node.number, id, before, textsOf(session), write)
  }
  const pausing = (session) => {
    const begun = clock.now
    return new Promise((resolve) => clock.after(operation.think, resolve)).then(() => change(session, begun))
  }
  const updating = instance.update(wanted, operation.isAsync ? pausing : change)
  updating.then(
    () => {
      world.oracle.answered(operation, true)
      if (write) world.ledger.acknowledge(write)
      answered()
    },
    (error) => {
      world.oracle.answered(operation, false)
      if (write && error.code === 'ERR_SESSION_CONFLICT') write.isForbidden = true
      answered(error)
    },
  )
}

function settle(world, operation, promise, { done, failed }) {
  promise.then(
    () => {
      done()
      world.done(operation)
    },
    (error) => {
      failed(error)
      world.done(operation, error)
    },
  )
}
