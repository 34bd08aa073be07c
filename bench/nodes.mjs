// node bench/nodes.mjs (after npm run build): how long an ending and a change take from one node to all others.
// Three nodes on one Redis (REDIS_URL, or redis-server's default port), 3 000 sockets of 1 000 sessions; prints quantiles.
// argv[2]: redis-adapter (default), redis-streams-adapter or cluster-adapter.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { io as connect } from 'socket.io-client'

const redisUrl = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'
const script = new URL('../test/nodes/node.mjs', import.meta.url).pathname
const adapter = process.argv[2] ?? 'redis-adapter'
const given = { adapter, workers: 3, redisUrl, freshFor: 1_000_000, recheck: 1_000_000 }
const sessions = 1_000
const ends = 200

const nodes = Array.from({ length: adapter === 'cluster-adapter' ? 1 : 3 }, () => fork(script, [JSON.stringify(given)]))
const urls = []
for (const node of nodes) node.on('message', ({ url }) => urls.push(url))
while (urls.length < 3) await Promise.race(nodes.map((node) => once(node, 'message')))
const [first] = urls

async function openSession() {
  const response = await fetch(`${first}/login/ann`)
  await response.text()
  const cookie = response.headers.getSetCookie()[0].split(';')[0]
  const clients = urls.map((url) =>
    connect(url, { forceNew: true, reconnection: false, transports: ['websocket'], extraHeaders: { cookie } }),
  )
  await Promise.all(clients.map((client) => once(client, 'connect')))
  return { cookie, clients }
}

const open = []
while (open.length < sessions) open.push(...(await Promise.all(Array.from({ length: 20 }, openSession))))
console.log(`${open.length * urls.length} sockets of ${open.length} sessions on ${urls.length} nodes, ${adapter}`)

/** Milliseconds from the request on the first node until each client of the others has seen its effect. */
async function measure({ cookie, clients }, path, effect) {
  const started = performance.now()
  const seen = clients.slice(1).map((client) => effect(client).then(() => performance.now() - started))
  const response = await fetch(first + path, { headers: { cookie } })
  await Promise.all([response.text(), ...seen])
  return Promise.all(seen)
}

async function sawTheme(client) {
  while ((await client.emitWithAck('read', 'theme')) !== 'dark') {}
}

function print(name, times) {
  const sorted = times.sort((a, b) => a - b)
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(1)
  console.log(`${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms (${sorted.length} measured)`)
}

const changes = []
for (const each of open.slice(0, ends)) changes.push(...(await measure(each, '/set/theme/dark', sawTheme)))
print('a change on one node is read on the others', changes)
const endings = []
for (const each of open.slice(0, ends)) {
  endings.push(...(await measure(each, '/logout', (client) => once(client, 'disconnect'))))
}
print('a logout on one node has closed the sockets on the others', endings)
for (const node of nodes) node.disconnect()
process.exit()
