// node bench/growth.mjs (after npm run build): what a write of one node costs those that do not have the session.
// Nodes in one process, whose adapters pass news on as the network would: as JSON, to all others.
import session from 'express-session'
import { handshakeSession } from 'handshake-session'
import { Server } from 'socket.io'
import { Adapter } from 'socket.io-adapter'
import { cookieOf, idOf, secret } from './client.mjs'
import { openWireless } from './wireless.mjs'

const held = 2_000
const news = 20_000

class Wire {
  nodes = []
  messages = 0
  bytes = 0
  /** Messages on their way; each is parsed once per node, as a real adapter has to. */
  waiting = []

  send(from, packet) {
    const text = JSON.stringify(packet)
    this.messages++
    this.bytes += text.length
    this.waiting.push({ from, text })
  }

  /** Delivers what waits. @returns CPU time in µs that the nodes took */
  deliver() {
    const started = process.cpuUsage()
    for (const { from, text } of this.waiting.splice(0)) {
      for (const node of this.nodes) if (node !== from) node.of('/')._onServerSideEmit(JSON.parse(text))
    }
    const { user, system } = process.cpuUsage(started)
    return user + system
  }
}

function startNodes(count) {
  const wire = new Wire()
  const store = () => new session.MemoryStore()
  class Wired extends Adapter {
    serverSideEmit(packet) {
      wire.send(this.nsp.server, packet)
    }
  }
  return { wire, nodes: Array.from({ length: count }, () => startNode(wire, store(), Wired)) }
}

function startNode(wire, store, adapter) {
  const io = new Server({ adapter })
  wire.nodes.push(io)
  return { io, store, sessions: handshakeSession({ store, secret, recheck: 1_000_000 }).attach(io) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Sessions of its own on each node; the first writes `writes` times to one of its own, `burst` at once. */
async function measure(count, burst) {
  const { wire, nodes } = startNodes(count)
  for (const [number, { io, store }] of nodes.entries()) {
    const ids = Array.from({ length: held }, (_, index) => idOf(`n${number}-`, index))
    for (const id of ids) store.sessions[id] = JSON.stringify({ cookie: new session.Cookie(), n: 0 })
    await openWireless(io, ids.map(cookieOf))
  }
  const [{ sessions }] = nodes
  const add = (draft) => {
    draft.n++
  }
  for (let written = 0; written < news; written += burst) {
    await Promise.all(Array.from({ length: burst }, () => sessions.update(idOf('n0-', written % held), add)))
    await turn()
  }
  const { messages, bytes } = wire
  const cpu = wire.deliver()
  for (const each of nodes) each.sessions.close()
  return { messages, bytes: bytes / messages, cpu: cpu / messages / (count - 1) }
}

await measure(2, 1) // Until its code is compiled.
console.log(`${news} writes on one node; each of the others has ${held} sessions of its own\n`)
console.log('nodes  writes at once  news  bytes each  µs per news and node  news per second and core')
for (const [count, burst] of [2, 4, 8, 16].flatMap((count) => [1, 20].map((burst) => [count, burst]))) {
  const { messages, bytes, cpu } = await measure(count, burst)
  const cells = [count, burst, messages, bytes.toFixed(0), cpu.toFixed(2), Math.round(1e6 / cpu).toLocaleString('en')]
  console.log(cells.map((cell, column) => String(cell).padStart([5, 14, 4, 10, 20, 24][column])).join('  '))
}
process.exit()
