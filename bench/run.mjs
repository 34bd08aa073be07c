// npm run bench: what each way of having the session on the socket costs the server, side by side.
// One process per peer and scenario, one client (this process), and rounds in which every peer has its turn.
// --quick: two rounds, and no results written. --only=connect,save: these scenarios. --peers=docs,ours: these, and bare.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { startRedis } from '../test/support/redis.mjs'
import { peers } from './peers/index.mjs'
import { printTable, writeReport } from './report.mjs'
import { scenarios } from './scenarios.mjs'

const { values: given } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, peers: { type: 'string' } },
})
const chosen = scenarios.filter(({ name }) => given.only?.split(',').includes(name) ?? true)
const names = Object.keys(peers).filter((name) => name === 'bare' || (given.peers?.split(',').includes(name) ?? true))
const server = new URL('server.mjs', import.meta.url).pathname

/** @param {string} [redis] where its sessions are; otherwise they are in memory */
async function startPeer(name, redis) {
  const child = fork(server, redis ? [name, redis] : [name], { execArgv: ['--expose-gc'] })
  child.once('exit', (code) => code && fail(`${name} ended with ${code}`))
  const [{ port }] = await once(child, 'message')
  const asked = new Map()
  let calls = 0
  let sessions = 0
  child.on('message', ({ call, answer, error }) => {
    const { resolve, reject } = asked.get(call)
    asked.delete(call)
    if (error) reject(new Error(`${name}: ${error}`))
    else resolve(answer)
  })
  return {
    name,
    port,
    /** Asks the server's process; see `answers` there. */
    ask(question, ...args) {
      const call = calls++
      child.send({ call, question, args })
      return new Promise((resolve, reject) => asked.set(call, { resolve, reject }))
    },
    /** How many connections it has all the time. */
    staying: 0,
    /** What no session of this peer was called yet. */
    nextName: () => `s${sessions++}`,
    stop: () => child.disconnect(),
  }
}

/** @returns the figures of each peer, one entry per round */
async function measure(scenario) {
  const taking = names.filter(
    (name) => (scenario.peers?.includes(name) ?? true) && (peers[name].only?.includes(scenario.name) ?? true),
  )
  const rounds = given.quick ? Math.min(4, scenario.rounds ?? 4) : (scenario.rounds ?? 5)
  const processes = given.quick ? 1 : (scenario.processes ?? 1)
  const results = Object.fromEntries(taking.map((name) => [name, []]))
  for (let process = 0; process < processes; process++) await measureOnce(scenario, taking, rounds, results)
  return { scenario, rounds: rounds * processes, results }
}

async function measureOnce(scenario, taking, rounds, results) {
  const redis = scenario.isOnRedis ? await startRedis() : undefined
  const running = await Promise.all(taking.map((name) => startPeer(name, redis)))
  for (const peer of scenario.warm ? running : []) {
    progress(`${scenario.name}: warming up ${peer.name}`)
    await scenario.warm(peer)
  }
  for (let round = 0; round < rounds; round++) {
    for (const peer of rotated(running, round)) {
      progress(`${scenario.name}: round ${round + 1} of ${rounds}, ${peer.name}`)
      results[peer.name].push(await scenario.run(peer))
    }
  }
  for (const peer of running) peer.stop()
}

/** Another one begins in each round, so that none has the best place. */
function rotated(list, by) {
  const start = by % list.length
  return [...list.slice(start), ...list.slice(0, start)]
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${elapsed()} ${text}`)
  else process.stderr.write(`${elapsed()} ${text}\n`)
}

function elapsed() {
  return `[${(performance.now() / 1_000).toFixed(0).padStart(3)} s]`
}

function fail(message) {
  console.error(message)
  process.exit(1)
}

const measured = []
for (const scenario of chosen) measured.push(await measure(scenario))
progress('done\n')
printTable(measured, names)
if (!given.quick && !given.only && !given.peers) await writeReport(measured, names)
process.exit()
