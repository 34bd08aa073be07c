// npm run test:matrix: the packed tarball, on every Node that is supported, and with every combination of what it stands
// on. Prints a table, and exits with 1 if a cell fails. --quick: the oldest of all on the Node that runs this, only.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { startRedis } from './support/redis.mjs'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const { values: given } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })

const nodes = ['18', '20', '22', '24', '26']
const stack = (io, session, express) => ({ 'socket.io': io, 'express-session': session, express })
const oldest = stack('4.6', '1.17', '3.21')
const latest = stack('latest', 'latest', '5')
const every = ['4.6', 'latest'].flatMap((io) =>
  ['1.17', 'latest'].flatMap((session) => ['3.21', '4', '5'].map((express) => stack(io, session, express))),
)
/** The newest connect-redis that runs on a Node. */
const stores = { 18: '8', 20: '9', 22: '10', 24: '10', 26: '10' }
/** Cells: the packages, and the Node if it is not the one that runs this, and then its connect-redis. */
const all = [
  ...nodes.map((node) => ({ packages: latest, node, store: stores[node] })),
  ...['18', '26'].map((node) => ({ packages: oldest, node, store: '7' })),
  ...every.map((packages) => ({ packages })),
]
const programs = {
  'the API': ['app.cjs'],
  register: ['-r', 'handshake-session/register', 'old-app.cjs'],
  'private parts': ['private-parts.cjs'],
}

/** In cells with a connect-redis, which need a Redis. */
const onRedis = ['redis.cjs']

const folder = await mkdtemp(join(tmpdir(), 'handshake-session-matrix-'))
try {
  await main()
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function main() {
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root })
  const tarball = join(
    folder,
    (await readdir(folder)).find((name) => name.endsWith('.tgz')),
  )
  print('Node', 'Socket.IO', 'express-session', 'Express', ...Object.keys(programs), 'connect-redis')
  const redis = given.quick ? undefined : await startRedis()
  for (const { packages, node, store } of given.quick ? [{ packages: oldest }] : all) {
    const place = await installOnce(
      packages,
      tarball,
      store ? { 'connect-redis': store, redis: store === '7' ? '4' : '5' } : {},
    )
    const program = node ? await fetchNode(node) : process.execPath
    const { stdout: version } = await run(program, ['--version'])
    const installed = await Promise.all(Object.keys(packages).map((name) => versionOf(name, place)))
    const verdicts = await Promise.all(Object.values(programs).map((args) => verdict(program, args, place)))
    const stored = store ? await verdict(program, onRedis, place, { REDIS_URL: redis }) : undefined
    const cell = stored && `${await versionOf('connect-redis', place)} ${stored}`
    print(version.trim().slice(1), ...installed, ...verdicts, cell ?? '')
    if ([...verdicts, stored ?? '✓'].some((each) => each !== '✓')) process.exitCode = 1
  }
}

/** A folder with these packages and the tarball, as a stranger has it. */
async function installOnce(packages, tarball, others) {
  const wanted = Object.entries({ ...packages, ...others }).map(([name, version]) => `${name}@${version}`)
  const place = join(folder, wanted.join('+'))
  if (!(await mkdir(place, { recursive: true }))) return place
  await cp(join(root, 'test/matrix'), place, { recursive: true })
  await install(place, [tarball, ...wanted, 'socket.io-client@4', 'cookie-parser@1', 'cookie-signature@1'])
  return place
}

/** npm has each Node of Linux as a package. */
async function fetchNode(major) {
  const [name, place] = [`node-linux-${process.arch}`, join(folder, `node-${major}`)]
  if (await mkdir(place, { recursive: true })) await install(place, [`${name}@${major}`])
  return join(place, 'node_modules', name, 'bin/node')
}

async function install(place, packages) {
  await writeFile(join(place, 'package.json'), '{ "private": true }')
  const quietly = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel=error']
  await run('npm', ['install', ...quietly, ...packages], { cwd: place })
}

async function versionOf(name, place) {
  return JSON.parse(await readFile(join(place, 'node_modules', name, 'package.json'), 'utf8')).version
}

/** ✓, or the first line that says what failed. */
async function verdict(program, args, place, env) {
  try {
    await run(program, args, { cwd: place, timeout: 30_000, env: { ...process.env, ...env } })
    return '✓'
  } catch ({ stderr, message, killed }) {
    if (killed) return 'it did not end within 30 s'
    return stderr.match(/^\w*Error.*/m)?.[0] ?? message
  }
}

function print(...columns) {
  const widths = [8, 10, 16, 8, 9, 9, 14, 0]
  console.log(columns.map((column, index) => column.padEnd(widths[index])).join(' '))
}
