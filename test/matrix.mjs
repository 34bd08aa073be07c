// npm run test:matrix: the packed tarball, on every Node that is supported, Bun and Deno, with every combination of what it stands
// on; and in other frameworks. Prints tables, and exits with 1 if a cell fails. --quick: the oldest of all on the Node that runs
// this, only.
import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
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
/** Cells: the packages, and what runs them if it is not the Node that runs this, and then its connect-redis. */
const all = [
  ...nodes.map((node) => ({ packages: latest, runtime: node, store: stores[node] })),
  ...['18', '26'].map((node) => ({ packages: oldest, runtime: node, store: '7' })),
  ...['bun', 'deno'].map((runtime) => ({ packages: latest, runtime, store: '10' })),
  ...every.map((packages) => ({ packages })),
]
const programs = {
  'the API': ['app.cjs'],
  register: ['-r', 'handshake-session/register', 'old-app.cjs'],
  'private parts': ['private-parts.cjs'],
}

/** Other frameworks, each by an example: its file, its namespace if not `/`, and the packages whose versions are told. */
const frameworks = {
  NestJS: { args: ['nestjs.mjs', '/visits'], packages: ['@nestjs/core', '@nestjs/platform-socket.io'] },
  'Fastify, express-session': { args: ['fastify.mjs'], packages: ['fastify', '@fastify/express'] },
  'Fastify, its own session': { args: ['fastify-session.mjs'], packages: ['fastify', '@fastify/session'] },
  Koa: { args: ['koa.mjs'], packages: ['koa'] },
}
/** What they need besides. */
const besides = [
  '@nestjs/common',
  '@nestjs/platform-express',
  '@nestjs/websockets',
  'reflect-metadata',
  'rxjs',
  '@fastify/cookie',
]
const types = ['@types/express', '@types/express-session', '@types/node']

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
  print('Runtime', 'Socket.IO', 'express-session', 'Express', ...Object.keys(programs), 'connect-redis')
  const redis = given.quick ? undefined : await startRedis()
  for (const { packages, runtime, store } of given.quick ? [{ packages: oldest }] : all) {
    const place = await installOnce(
      packages,
      tarball,
      store ? { 'connect-redis': store, redis: store === '7' ? '4' : '5' } : {},
    )
    const start = runtime ? await fetchRuntime(runtime) : onNode(process.execPath)
    const installed = await Promise.all(Object.keys(packages).map((name) => versionOf(name, place)))
    const verdicts = await Promise.all(Object.values(programs).map((args) => verdict(start(args), place)))
    const stored = store ? await verdict(start(onRedis), place, { REDIS_URL: redis }) : undefined
    const cell = stored && `${await versionOf('connect-redis', place)} ${stored}`
    print(await nameOf(start), ...installed, ...verdicts, cell ?? '')
    if ([...verdicts, stored ?? '✓'].some((each) => each !== '✓')) process.exitCode = 1
  }
  if (!given.quick) await tryFrameworks(tarball)
}

/** On the newest Node, as some of what they stand on runs on no old one. */
async function tryFrameworks(tarball) {
  const place = join(folder, 'frameworks')
  await cp(join(root, 'test/matrix'), place, { recursive: true })
  await cp(join(root, 'examples/frameworks'), place, { recursive: true })
  const wanted = [...Object.values(frameworks).flatMap(({ packages }) => packages), ...besides, ...types]
  await install(place, [tarball, ...new Set(wanted), 'express-session', 'socket.io', 'socket.io-client@4'])
  const strictly = ['--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node', '--skipLibCheck']
  const compile = [join(root, 'node_modules/typescript/bin/tsc'), ...strictly, '--experimentalDecorators', 'nestjs.mts']
  const compiled = await verdict([process.execPath, compile], place)
  if (compiled !== '✓') console.log(`nestjs.mts does not compile: ${compiled}`)
  const start = await fetchRuntime(nodes.at(-1))
  for (const [name, { args, packages }] of Object.entries(frameworks)) {
    const versions = await Promise.all(packages.map(async (each) => `${each} ${await versionOf(each, place)}`))
    const seen = await verdict(start(['visitor.cjs', ...args]), place)
    console.log(`${name.padEnd(26)} ${versions.join(', ').padEnd(56)} ${seen}`)
    if (seen !== '✓' || compiled !== '✓') process.exitCode = 1
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

/** npm has each as a package of Linux: a major version of Node, Bun and Deno. Returns how it starts a program. */
async function fetchRuntime(runtime) {
  const isARM = process.arch === 'arm64'
  const node = `node-linux-${process.arch}`
  const bun = `@oven/bun-linux-${isARM ? 'aarch64' : process.arch}`
  const deno = `@deno/linux-${process.arch}-glibc`
  const [name, version, path, how] = {
    bun: [bun, 'latest', 'bin/bun', onNode],
    deno: [deno, 'latest', 'deno', onDeno],
  }[runtime] ?? [node, runtime, 'bin/node', onNode]
  const place = join(folder, `runtime-${runtime}`)
  if (await mkdir(place, { recursive: true })) await install(place, [`${name}@${version}`])
  const program = join(place, 'node_modules', name, path)
  await chmod(program, 0o755)
  return how(program)
}

function onNode(program) {
  return (args) => [program, args]
}

/** It takes a preloaded module by its file, not by its name. */
function onDeno(program) {
  const register = './node_modules/handshake-session/dist/compat/register.js'
  const other = { '-r': '--require', 'handshake-session/register': register }
  return (args) => [program, args[0] === '--version' ? args : ['run', '-A', ...args.map((arg) => other[arg] ?? arg)]]
}

/** `20.20.2`, `bun 1.4.5` or `deno 2.9.6` */
async function nameOf(start) {
  const [program, args] = start(['--version'])
  const [version] = (await run(program, args)).stdout.match(/\d+\.\d+\.\d+/)
  return program.endsWith('node') ? version : `${basename(program)} ${version}`
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
async function verdict([program, args], place, env) {
  try {
    await run(program, args, { cwd: place, timeout: 30_000, env: { ...process.env, ...env } })
    return '✓'
  } catch ({ stdout, stderr, message, killed }) {
    if (killed) return 'it did not end within 30 s'
    return `${stdout}${stderr}`.match(/^\w*Error.*|^.*error TS.*/m)?.[0] ?? message
  }
}

function print(...columns) {
  const widths = [10, 10, 16, 8, 9, 9, 14, 0]
  console.log(columns.map((column, index) => column.padEnd(widths[index])).join(' '))
}
