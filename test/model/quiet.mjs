/**
 * The invariants when all is quiet, when all have left, and when all is closed.
 */
import { isForbiddenNow } from './authorize.mjs'
import { clock } from './clock.mjs'
import { kindsOf } from './history.mjs'
import { textsOf } from './story.mjs'

/** Longer than everything that the package waits for. */
const longest = 20_000
/** For how long nobody does anything, in ms. */
const rest = 8_000

/** Runs a history to its end. */
export async function play(world) {
  const { plan, faults, open } = world
  await clock.runUntil(plan.end)
  faults.areOver = true
  await clock.runUntil(plan.end + longest, () => open.size === 0)
  everythingAnswered(world)
  await clock.runUntil(clock.now + rest)
  socketsAreClosed(world)
  endsAreTold(world)
  await probe(world)
  writesAreThere(world)
  await leave(world)
  await close(world)
}

function everythingAnswered({ open, oracle }) {
  for (const operation of open) {
    const { index, kind, socket, isHandled } = operation
    operation.isGivenUp = true
    if (socket && !isHandled && socket.refused-- > 0) continue // The store failed, and the socket was told.
    oracle.violate(`every ${kindsOf[kind] === 'http' ? 'request' : 'operation'} answered`, `#${index} ${kind}`)
  }
  open.clear()
}

/** Whether the session is over for good. */
function isOver(world, id) {
  return world.database.read(id) === undefined
}

function socketsAreClosed(world) {
  for (const node of world.nodes) {
    for (const { conn, sessionID } of node.sockets) {
      if (sessionID && isOver(world, sessionID)) {
        world.oracle.violate(
          'sockets of ended sessions are closed',
          `${conn.client.id} on node ${node.number} has ${sessionID}`,
        )
      }
      if (sessionID && isForbiddenNow(world, sessionID))
        world.oracle.violate('nobody who is forbidden', `${conn.client.id} on node ${node.number} is connected`)
    }
  }
}

/** Every instance tells an end once, if sockets were closed by it. */
function endsAreTold({ nodes, oracle }) {
  for (const { number, endings, closedByServer } of nodes) {
    for (const id of new Set([...closedByServer, ...endings.map(({ sessionID }) => sessionID)])) {
      const told = endings.filter(({ sessionID, instance }) => sessionID === id && instance === 0).length
      if (told !== 1) oracle.violate('end is told once', `${told} times, of ${id} on node ${number}`)
    }
  }
}

/** What handlers see, and what is loaded, is now what the store has, and who is destroyed can not be loaded. */
async function probe(world) {
  for (const client of world.clients) if (client?.isOpen) look(world, client)
  await clock.runUntil(clock.now + longest, () => world.open.size === 0)
  everythingAnswered(world)
  const loads = world.nodes.flatMap((node) => [...world.cookies].map(([id, cookie]) => load(world, node, id, cookie)))
  await clock.runUntil(clock.now + rest)
  await Promise.all(loads)
}

function look(world, client) {
  for (const socket of client.sockets.values()) {
    if (socket.state !== 'connected') continue
    const index = world.nextProbe++
    const operation = { index, kind: 'look', isProbe: true, begun: clock.now }
    world.operations.set(index, operation)
    world.open.add(operation)
    operation.socket = client.node.socketOf(client, socket.name)
    client.emit(socket, index, (error) => world.done(operation, error))
  }
}

async function load(world, node, id, cookie) {
  const story = world.ledger.story(id)
  const isDestroyed = story.isDestroyed && !story.mayReturn
  if (isDestroyed && !isOver(world, id)) world.oracle.violate('destroyed stays destroyed', `${id} is in the store`)
  try {
    const session = await node.sessions[0].load({ headers: { cookie } })
    if (isDestroyed) world.oracle.violate('destroyed stays destroyed', `${id} was loaded on node ${node.number}`)
    else if (isForbiddenNow(world, id)) world.oracle.violate('nobody who is forbidden', `${id} was loaded`)
    else world.oracle.isExactly(node.number, id, session, 'a load when all is quiet')
  } catch (error) {
    const mayBeOver = isOver(world, id) || story.mayHaveEnded(1) || isForbiddenNow(world, id)
    if (!mayBeOver) world.oracle.violate('what exists is loaded', `${id} on node ${node.number}: ${error.code}`)
  }
}

/** Of every session that is still there, everything that was acknowledged. */
function writesAreThere(world) {
  for (const [id, story] of world.ledger.stories) {
    const json = world.database.read(id)
    if (json === undefined || story.isDestroyed) continue
    const texts = textsOf(JSON.parse(json))
    for (const write of story.writes) writeIsThere(world, story, write, texts)
    inRealTimeOrder(world, story, JSON.parse(texts.get('list') ?? '[]'))
  }
}

function writeIsThere({ oracle }, story, write, texts) {
  const isThere = write.key.startsWith('list')
    ? JSON.parse(texts.get(write.key) ?? '[]').includes(write.text)
    : texts.get(write.key) === write.text
  const what = `#${write.operation.index} ${write.operation.kind}, ${write.key} of ${story.id}`
  if (write.isForbidden && write.effect) oracle.violate('what failed is not written', what)
  if (!write.isAcknowledged || isThere || write.isExcused || write.isReplaced || write.loss) return
  if (write.effect && story.wasGoneSince(write.last.order)) return
  if (write.effect) oracle.violate('no acknowledged write is lost', `${what} is gone`)
  else if (!story.mayHaveEnded(write.begun))
    oracle.violate('no acknowledged write is lost', `${what} was never written`)
}

/** An update that was acknowledged before another began comes before it. */
function inRealTimeOrder({ oracle }, story, list) {
  const updates = list.map((token) => story.writes.find(({ key, text }) => key === 'list' && text === token))
  for (const [index, update] of updates.entries()) {
    const late = updates.slice(index + 1).find((other) => other.acknowledgedAt < update.begun)
    if (late) oracle.violate('updates in order', `#${late.operation.index} after #${update.operation.index}`)
  }
}

async function leave(world) {
  for (const client of world.clients) if (client?.isOpen) client.leave()
  await clock.runUntil(clock.now + rest)
  const calls = world.nodes.map(({ store }) => store.calls)
  await clock.runUntil(clock.now + 2 * world.options.recheck + rest)
  for (const [number, { store }] of world.nodes.entries()) {
    if (store.calls !== calls[number])
      world.oracle.violate('nothing is held', 'the store is asked though all have left')
  }
  noTimers(world, 'all have left')
}

async function close(world) {
  for (const node of world.nodes) {
    for (const sessions of node.sessions) sessions.close()
    isRestored(world, node)
  }
  for (const connection of world.connections) {
    const left = connection.eventNames().filter((name) => connection.listenerCount(name) > 0)
    if (left.length > 0) world.oracle.violate('no listener is left', `${connection.id}: ${left}`)
  }
  await clock.runUntil(clock.now + rest)
  noTimers(world, 'all is closed')
}

function isRestored({ oracle }, { store, untouched, io, listening }) {
  for (const key of new Set([...Object.keys(store), ...Object.keys(untouched)])) {
    if (['calls', 'reader', '_events', '_eventsCount'].includes(key)) continue
    if (store[key] !== untouched[key]) oracle.violate('the store is restored', key)
  }
  const allowed = [...listening, 'new_namespace', 'connect'] // As the guard stays, which then refuses everybody.
  const left = io.sockets.eventNames().filter((name) => !allowed.includes(name))
  if (left.length > 0) oracle.violate('no listener is left', `of the server: ${left}`)
}

function noTimers({ oracle }, when) {
  const { timers } = clock
  if (timers.length > 0)
    oracle.violate('no timer is left', `${timers.length} although ${when}, the first ${timers[0].run}`)
}
