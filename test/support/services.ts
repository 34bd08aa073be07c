/**
 * Redis, MariaDB and PostgreSQL for tests: the one that `REDIS_URL`, `MYSQL_URL` or `POSTGRES_URL` names, else our own
 * on a free port of loopback, in a folder of its own. A missing program is installed (`programs.ts`), never skipped.
 *
 * @example
 * const redis = await startRedis()
 * afterAll(() => redis.stop())
 */
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Daemon, type DaemonOptions, freePort, makeFolder, removeFolder, type User } from './daemon.js'
import { findProgram } from './programs.js'

const run = promisify(execFile)

export interface Service {
  /** For its client. */
  url: string
  /** The id of its process; undefined where the environment named the server. */
  readonly pid: number | undefined
  /** Stops it and removes its folder. A server that the environment named stays as it is. */
  stop(): Promise<void>
  /** Ends its process at once, as a power cut would. Only of our own server. */
  kill(): Promise<void>
  /** Starts it again after `kill`: the same port, with the data that it had written. */
  restart(): Promise<void>
}

export interface ServiceOptions {
  /** Our own server in any case, for tests that kill it. @default false */
  own?: boolean
}

/** Redis, which writes every change to disk before it answers: `kill` and `restart` lose nothing. */
export async function startRedis({ own = false }: ServiceOptions = {}): Promise<Service> {
  const named = process.env['REDIS_URL']
  if (named && !own) return foreign(named)
  const program = await findProgram({ names: ['redis-server'], packageName: 'redis-server' })
  const [port, folder] = [await freePort(), await makeFolder()]
  const settings = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'yes', appendfsync: 'always' }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  return ours(`redis://127.0.0.1:${port}`, { program, args, folder, ready: /Ready to accept connections/ })
}

/** MariaDB with an empty database `test`; its user `root` has no password. */
export async function startMariaDB({ own = false }: ServiceOptions = {}): Promise<Service> {
  const named = process.env['MYSQL_URL']
  if (named && !own) return foreign(named)
  const packageName = 'mariadb-server'
  const program = await findProgram({ names: ['mariadbd'], packageName })
  const installer = await findProgram({ names: ['mariadb-install-db'], packageName })
  const [port, folder] = [await freePort(), await makeFolder()]
  // Not the folder that all share: a MariaDB that starts deletes the temporary tables that it finds there.
  const env = { TMPDIR: join(folder, 'tmp') }
  await mkdir(env.TMPDIR)
  const common = ['--no-defaults', `--datadir=${folder}/data`, ...(process.getuid?.() === 0 ? ['--user=root'] : [])]
  await run(installer, [...common, '--auth-root-authentication-method=normal', '--skip-name-resolve'], {
    env: { ...process.env, ...env },
  })
  const network = [`--port=${port}`, '--bind-address=127.0.0.1', '--skip-name-resolve', `--socket=${folder}/socket`]
  const args = [...common, ...network, `--pid-file=${folder}/pid`]
  return ours(`mysql://root@127.0.0.1:${port}/test`, { program, args, folder, env, ready: /ready for connections/ })
}

/** PostgreSQL with an empty database `postgres`; its user `postgres` has no password. */
export async function startPostgres({ own = false }: ServiceOptions = {}): Promise<Service> {
  const named = process.env['POSTGRES_URL']
  if (named && !own) return foreign(named)
  const program = await findProgram({ names: ['postgres'], packageName: 'postgresql' })
  const initdb = await findProgram({ names: ['initdb'], packageName: 'postgresql' })
  const user = process.getuid?.() === 0 ? await userNamed('postgres') : undefined
  const [port, folder] = [await freePort(), await makeFolder(user)]
  await run(initdb, ['-D', folder, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C'], {
    ...user,
    cwd: folder,
  })
  const settings = [`listen_addresses=127.0.0.1`, `unix_socket_directories=`]
  const args = ['-D', folder, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])]
  const ready = /database system is ready to accept connections/
  return ours(`postgres://postgres@127.0.0.1:${port}/postgres`, {
    ...{ program, args, folder, ready, user },
    stopSignal: 'SIGINT',
  })
}

async function ours(url: string, options: DaemonOptions): Promise<Service> {
  let daemon: Daemon | undefined = await start(options)
  const end = async (how: 'stop' | 'kill') => {
    await daemon?.[how]()
    daemon = undefined
  }
  return {
    url,
    get pid() {
      return daemon?.pid
    },
    stop: async () => {
      await end('stop')
      await removeFolder(options.folder)
    },
    kill: () => end('kill'),
    restart: async () => {
      await end('kill')
      daemon = await start(options)
    },
  }
}

async function start(options: DaemonOptions): Promise<Daemon> {
  try {
    return await Daemon.start(options)
  } catch (error) {
    await removeFolder(options.folder)
    throw error
  }
}

function foreign(url: string): Service {
  const refuse = async () => {
    throw new Error('the environment named this server, so tests do not end it: start it with { own: true }')
  }
  return { url, pid: undefined, stop: async () => {}, kill: refuse, restart: refuse }
}

/** PostgreSQL refuses to run as root. */
async function userNamed(name: string): Promise<User> {
  const id = async (flag: string) => Number((await run('id', [flag, name])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}
