// The scenarios, the same for every peer. Each has a `warm` part, run once in a fresh process of the peer, and a `run` part,
// run once in each round, which answers one number for each of its figures; all that in `processes` processes of each peer.
// Of `over` figures bare's median is subtracted. Times are µs of CPU time of the server's process, unless the unit says otherwise.
import { readFileSync } from 'node:fs'
import { Client, cookieOf, idOf, openAll, poll } from './client.mjs'
import { journey } from './journey.mjs'

/** One process may have no more sockets than file descriptors, less some for others. */
const files = Number(/Max open files +(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))[1])
const crowd = Math.min(10_000, files - 500)

const withBare = (key, label, unit, more) => ({ key, label, unit, over: true, ...more })
const plain = (key, label, unit, more) => ({ key, label, unit, ...more })

export const scenarios = [
  {
    name: 'journey',
    isOnRedis: true,
    peers: ['bare', 'docs', 'docs-once', 'essio', 'ours'],
    figures: [
      withBare('trips', "A visitor's journey: round trips to Redis", '', { wanted: '≤ 6' }),
      withBare('cpu', '… CPU', 'µs', { wanted: '< the others' }),
      plain('right', '… counters that were right', '%', { isBetter: 'more', wanted: '100' }),
      plain('closed', '… sockets that the logout closed', '%', { isBetter: 'more', wanted: '100' }),
    ],
    warm: journey,
    run: journey,
  },
  {
    name: 'cold',
    peers: ['bare', 'least', 'essio', 'ours'],
    processes: 4,
    rounds: 1,
    figures: [
      withBare('allocated', 'No network: allocated by a connection', 'kB', { wanted: '≤ 4.0 kB' }),
      withBare('retained', '… kept by it', 'kB', { wanted: '≤ 1.1 kB' }),
      withBare('cpu', '… CPU', 'µs', { wanted: '≤ 1.3 × least' }),
    ],
    warm: often((peer) => crowdOf(peer, 3_000, 1)),
    run: cold,
  },
  {
    name: 'connect',
    processes: 5,
    rounds: 4,
    figures: [withBare('cpu', 'CPU per WebSocket connect', 'µs', { isNoise: true })],
    warm: async (peer) => {
      await stay(peer, 100)
      await often(connect)(peer)
    },
    run: connect,
  },
  {
    name: 'heap',
    rounds: 7,
    figures: [withBare('own', 'Heap per connection, a session each', 'kB', { wanted: '≤ 40 %' })],
    warm: (peer) => hold(peer, 1),
    run: async (peer) => ({ own: await hold(peer, 1) }),
  },
  {
    name: 'shared',
    figures: [withBare('heap', 'Heap per connection, ten to a session', 'kB', { wanted: '≤ 25 %' })],
    warm: (peer) => hold(peer, 10),
    run: async (peer) => ({ heap: await hold(peer, 10) }),
  },
  {
    name: 'reads',
    rounds: 1,
    figures: [
      plain('websocket', 'Store reads: WebSocket connect', '', { wanted: '1' }),
      plain('polling', 'Store reads: polling connect, 10 events', '', { wanted: '1' }),
      plain('namespaces', 'Store reads: connect to 3 namespaces', '', { wanted: '1' }),
      plain('reconnects', 'Store reads: 1,000 reconnects at once', '', { wanted: '1' }),
    ],
    run: storeReads,
  },
  {
    name: 'read',
    processes: 3,
    rounds: 3,
    figures: [
      withBare('plain', 'CPU per event that reads, the plain way', 'µs'),
      plain('isFresh', '… and sees what HTTP just changed', 'yes'),
      withBare('fresh', 'CPU per event that reads, the fresh way', 'µs', { wanted: '≤ 1.5 µs' }),
    ],
    warm: often(readEvents),
    run: readEvents,
  },
  {
    name: 'save',
    processes: 8,
    rounds: 2,
    figures: [
      withBare('cpu', 'CPU per event that saves', 'µs', { wanted: '≤ 50 %' }),
      plain('reads', 'Store reads per event that saves', ''),
      plain('writes', 'Store writes per event that saves', ''),
      plain('kept', 'Changes that the store has in the end', '%', { isBetter: 'more' }),
    ],
    warm: often(saveEvents),
    run: saveEvents,
  },
  {
    name: 'headers',
    peers: ['least', 'docs', 'ours'],
    figures: [
      plain('cold', 'CPU, headers → session, cold', 'µs'),
      plain('live', 'CPU, headers → session, live already', 'µs'),
    ],
    warm: often(headers),
    run: headers,
  },
  {
    name: 'revoke',
    rounds: 3,
    peers: ['ours'],
    figures: [plain('time', `Revoke → ${crowd.toLocaleString('en')} sockets closed`, 'ms')],
    run: revoke,
  },
  {
    name: 'growth',
    rounds: 3,
    peers: ['bare', 'ours'],
    figures: [
      plain('fewHeap', 'No network: heap per connection, 5,000 sockets', 'kB'),
      plain('manyHeap', 'No network: heap per connection, 50,000 sockets', 'kB', { wanted: 'as with 5,000' }),
      plain('fewCpu', 'No network: CPU per connect, 5,000 sockets', 'µs'),
      plain('manyCpu', 'No network: CPU per connect, 50,000 sockets', 'µs', { wanted: 'as with 5,000' }),
    ],
    warm: often((peer) => crowdOf(peer, 5_000)),
    run: growth,
  },
]

/** Until its code is compiled: the compiler's time is the process's, too, and a server pays it once. */
function often(run) {
  return async (peer) => {
    for (let times = 0; times < 6; times++) await run(peer)
  }
}

/** So many connections that stay, as on any busy server: V8 forgets code that was made for objects of which none is left. */
async function stay(peer, count) {
  await openAll(peer.port, await newSessions(peer, count))
  peer.staying = count
}

/** Opens 1,000 connections, each with a session of its own, and closes them again. Nothing is collected by force: see `stay`. */
async function connect(peer) {
  const cookies = await newSessions(peer, 1_000)
  const opening = await spent(peer, cookies.length, () => openAll(peer.port, cookies))
  await closeAll(peer, opening.result)
  return { cpu: opening.cpu }
}

/** Bytes of heap per connection, in thousands, of 1,000 connections with so many to a session. */
async function hold(peer, perSession) {
  const cookies = await cookiesFor(peer, 1_000, perSession)
  await peer.ask('forget')
  const empty = await peer.ask('heap')
  const clients = await openAll(peer.port, cookies)
  const full = await peer.ask('heap')
  await closeAll(peer, clients)
  return (full - empty) / clients.length / 1_000
}

async function storeReads(peer) {
  const one = await newSession(peer)
  const websocket = await spent(peer, 1, () => openAll(peer.port, [one]))
  await closeAll(peer, websocket.result)
  const polled = await newSession(peer)
  const polling = await spent(peer, 1, () => poll(peer.port, polled, 'read', 10))
  await peer.ask('idle', 0)
  const three = await newSession(peer)
  const namespaces = await spent(peer, 1, () => Promise.all([Client.open(peer.port, three, ['/', '/a', '/b'])]))
  await closeAll(peer, namespaces.result)
  const many = Array(1_000).fill(await newSession(peer))
  const reconnects = await spent(peer, 1, () => openAll(peer.port, many, many.length))
  await closeAll(peer, reconnects.result)
  return {
    websocket: websocket.reads,
    polling: polling.reads,
    namespaces: namespaces.reads,
    reconnects: reconnects.reads,
  }
}

/** Ten sockets, a session each, and bursts of 100 events. */
async function readEvents(peer) {
  const cookies = await newSessions(peer, 10)
  const clients = await openAll(peer.port, cookies)
  const bursts = 30
  const all = clients.length * bursts * 100
  const emit = async (event) => {
    for (let burst = 0; burst < bursts; burst++) await Promise.all(clients.map((client) => client.emit(event, 100)))
  }
  const plainWay = await spent(peer, all, () => emit('read'))
  const freshWay = await spent(peer, all, () => emit('fresh'))
  const isFresh = await seesChange(peer)
  await closeAll(peer, clients)
  return { plain: plainWay.cpu, fresh: freshWay.cpu, isFresh }
}

/** Whether an event that reads sees what an Express route has just written: 1 or 0. */
async function seesChange(peer) {
  const cookie = await newSession(peer)
  const clients = await openAll(peer.port, [cookie])
  await clients[0].emit('read')
  await (await fetch(`http://127.0.0.1:${peer.port}/rename/bob`, { headers: { cookie } })).text()
  const user = await clients[0].emit('read')
  await Promise.all(clients.map((client) => client.close()))
  return Number(user === 'bob')
}

/** One socket, bursts of 20; each event counts one up in the session and is answered when that is saved. */
async function saveEvents(peer) {
  const id = await newID(peer)
  const clients = await openAll(peer.port, [cookieOf(id)])
  const bursts = 600
  const saving = await spent(peer, bursts * 20, async () => {
    for (let burst = 0; burst < bursts; burst++) await clients[0].emit('save', 20)
  })
  const { visits } = await peer.ask('stored', id)
  await closeAll(peer, clients)
  return { cpu: saving.cpu, reads: saving.reads, writes: saving.writes, kept: (visits / bursts / 20) * 100 }
}

async function headers(peer) {
  const cookies = await newSessions(peer, 5_000)
  const cold = await peer.ask('load', cookies)
  const held = cookies.slice(0, 100)
  const clients = await openAll(peer.port, held)
  const live = await peer.ask('load', Array(50).fill(held).flat())
  await closeAll(peer, clients)
  return { cold, live }
}

async function revoke(peer) {
  const id = await newID(peer)
  const clients = await openAll(peer.port, Array(crowd).fill(cookieOf(id)))
  const closed = Promise.all(clients.map((client) => client.closed))
  const started = performance.now()
  await peer.ask('revoke', id)
  await closed
  const time = performance.now() - started
  await peer.ask('idle', 0)
  return { time }
}

async function growth(peer) {
  const few = await crowdOf(peer, 5_000)
  const many = await crowdOf(peer, 50_000)
  return { fewHeap: few.heap, manyHeap: many.heap, fewCpu: few.cpu, manyCpu: many.cpu }
}

/** Ours keeps a session for a while when its connection has left: what is kept is counted when those before are gone. */
async function cold(peer) {
  const { cpu } = await crowdOf(peer, 3_000, 1)
  const allocated = await peer.ask('allocated', await newSessions(peer, 3_000))
  await peer.ask('forget')
  const { heap } = await crowdOf(peer, 3_000, 1)
  return { cpu, allocated, retained: heap }
}

async function crowdOf(peer, sockets, perSession = 10) {
  return peer.ask('crowd', await cookiesFor(peer, sockets, perSession))
}

/** A cookie for each of so many connections, so many of which have the same session. */
async function cookiesFor(peer, connections, perSession) {
  return Array(perSession)
    .fill(await newSessions(peer, connections / perSession))
    .flat()
}

/** @returns their cookies */
async function newSessions(peer, count) {
  const name = peer.nextName()
  const ids = Array.from({ length: count }, (_, index) => idOf(`${name}-`, index))
  await peer.ask('create', ids)
  return ids.map(cookieOf)
}

async function newID(peer) {
  const id = idOf(peer.nextName())
  await peer.ask('create', [id])
  return id
}

async function newSession(peer) {
  return cookieOf(await newID(peer))
}

async function closeAll(peer, clients) {
  await Promise.all(clients.map((client) => client.close()))
  await peer.ask('idle', peer.staying)
}

/** What the server spends on each of `count` pieces of `work`. */
async function spent(peer, count, work) {
  const before = await peer.ask('usage')
  const result = await work()
  const after = await peer.ask('usage')
  const each = (key) => (after[key] - before[key]) / count
  return { result, cpu: each('cpu'), reads: each('reads'), writes: each('writes') }
}
