// What the benchmark says: a table on the terminal, RESULTS.md, and results.svg.
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { figuresOf, format, isSteady, ratiosOf, titleOf } from './figures.mjs'
import { peers } from './peers/index.mjs'
import { drawPlot } from './plot.mjs'

/** How busy the machine was before we were. */
const [loadBefore] = loadavg()
const packages = [
  'handshake-session',
  'socket.io',
  'express',
  'express-session',
  'express-socket.io-session',
  'session.socket.io',
]

/** The median of each figure, ± half of what lies between its quartiles. */
export function printTable(measured, names) {
  const figures = figuresOf(measured)
  const rows = [['', ...names.map((name) => peers[name].title), 'ours is']]
  for (const figure of figures) {
    rows.push([titleOf(figure), ...names.map((name) => shortCell(figure, name)), ratiosOf(figure)])
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  for (const row of rows) {
    const cells = row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
    console.log(cells.join('  '))
  }
  console.log('\nMedians, ± half the interquartile range. Less is better. The column bare shows the base itself.')
}

function shortCell(figure, name) {
  const cell = figure.cells[name]
  if (!cell) return '–'
  const spread = (cell.upper - cell.lower) / 2
  return format(cell.median, figure) + (isSteady(cell) ? '' : ` ±${format(spread, figure)}`)
}

function longCell(figure, name) {
  const cell = figure.cells[name]
  if (!cell) return '–'
  const { median, low, high } = cell
  if (isSteady(cell)) return format(median, figure)
  return `**${format(median, figure)}** <sub>${format(low, figure)} … ${format(high, figure)}</sub>`
}

export async function writeReport(measured, names) {
  const figures = figuresOf(measured)
  await writeFile(new URL('RESULTS.md', import.meta.url), markdown(figures, names))
  await writeFile(new URL('results.svg', import.meta.url), drawPlot(figures, peers))
}

function markdown(figures, names) {
  const table = figures.map((figure) => {
    const cells = names.map((name) => longCell(figure, name))
    return line([titleOf(figure), ...cells, ratiosOf(figure), figure.wanted ?? '', figure.rounds])
  })
  return `# What a session on the socket costs

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${machine()}, load average ${loadBefore.toFixed(1)}
before the run. ${versions()}.
Each peer has a process of its own, the client is another one, and the peers take turns in each round. CPU is the time of the
server's process. Connects are measured with 100 other connections open, and nothing collected by force. In the rows of
connects and events several processes of each peer take part, as those differ more than rounds do. Heap is counted after
garbage collection. Medians; small: the lowest and the highest round. Less is better. Where it says *over bare*, bare's
median is subtracted; its own column shows what was subtracted. *ours is* compares with the best peer, and if that has no
session yet when \`connection\` fires (s.s.io), also with the best that has.
*least* is what none that verifies a cookie and reads a store can do without.

${line(['', ...names.map((name) => peers[name].title), 'ours is', 'wanted', 'rounds'])}
${line(['---', ...names.map(() => '--:'), '---', '---', '--:'])}
${table.join('\n')}

![The same, drawn](results.svg)

${names.map((name) => `- **${peers[name].title}**: ${peers[name].about}`).join('\n')}

## What we lose

${lost(figures)}
- A difference smaller than its spread is none: other work on the machine adds to CPU time, by more than one percent of bare's.
- Load comes from loopback and the store is memory, so a store read costs a few microseconds of CPU here. With Redis
  or SQL it is a round trip; then the rows of store reads and writes matter more than those of CPU.

## How the peers were used

- All have \`resave: false, saveUninitialized: false\` and the same MemoryStore, which counts. Express sessions are made beforehand.
- docs: *the fresh way* and *saves* call \`req.session.reload()\` first, as the docs do. e-s.io-s: *the fresh way* calls
  \`session.reload()\`; *saves* does not, as in its README, so it overwrites what others wrote meanwhile.
- e-s.io-s with \`autoSave\` tells nobody when it has saved: it answers before. Its connection is guarded in each namespace by itself.
- s.s.io needs nothing but a current cookie-parser to run on Socket.IO 4. It lets everybody in and looks for the
  session afterwards; the others refuse or know before. Events are listened to before the session is there, since
  clients of Socket.IO 4 may emit at once.
- docs and s.s.io count one up in a session that they read before the others of the burst were saved, so most of a burst is
  lost: see *Changes that the store has in the end*. What comes of that is cheap, and no peer to compare with.
- *CPU per WebSocket connect* is compared with nobody: most of it is the network's, and a middleware that only awaits a promise
  "costs" as much as everything that is done with a session. *No network: allocated by a connection* and the two rows below it
  measure the same without that.
- *A visitor's journey*: login and a page over HTTP, a socket with the default transports, six events that read, three at once that
  add to a counter, a request that adds, a read; the page again with a new socket and a second tab, which both add, a read, logout.
  150 visitors, ten at a time. Of bare the round trips are those of the requests, which all peers have. docs reload before they add, as in the docs; s.s.io
  and \`autoSave\` are not in it: they answer before they have saved.
- *No network*: more sockets than a process may have file descriptors; what Engine.IO would give to Socket.IO, by hand.
`
}

function line(cells) {
  return `| ${cells.join(' | ')} |`
}

/** Every figure in which a peer beats us. */
function lost(figures) {
  const losses = figures.filter(({ isLost }) => isLost)
  const all = losses.map((figure) => {
    const { rivals, cells } = figure
    const [best] = rivals
    return `- ${titleOf(figure)}: ${format(cells.ours.median, figure)}, and ${format(cells[best].median, figure)} with ${peers[best].title}.`
  })
  return all.length > 0 ? all.join('\n') : '- No figure above.'
}

function machine() {
  const [cpu] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} × ${cpu.model.trim()}, ${memory} GiB, ${type()} ${release().split('-')[0]}, Node ${process.versions.node}`
}

function versions() {
  return packages.map((name) => `${name} ${versionOf(name)}`).join(', ')
}

function versionOf(name) {
  const file = name === 'handshake-session' ? '../package.json' : `../node_modules/${name}/package.json`
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')).version
}
