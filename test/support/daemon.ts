/**
 * A server program that runs for as long as a test needs it, and leaves nothing behind: neither process nor folder, even
 * if the test process ends early. Which program, and how it is asked, is `services.ts`'s part.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How long a server may take to start, in ms; and then to stop, before it is killed. */
const [startsWithin, stopsWithin] = [60_000, 10_000]

/** A user of the system, for programs that refuse to run as root. */
export interface User {
  uid: number
  gid: number
}

export interface DaemonOptions {
  program: string
  args: readonly string[]
  /** The folder it works in. */
  folder: string
  /** The line of its log that says that it takes connections. */
  ready: RegExp
  /** Asks it to stop without waiting for its clients. @default 'SIGTERM' */
  stopSignal?: NodeJS.Signals
  user?: User | undefined
  /** What its environment has besides that of the tests. */
  env?: Record<string, string>
}

/** Children and folders to take along if this process ends before they are stopped; the last first. */
const leftovers = new Map<unknown, () => void>()
process.once('exit', () => {
  for (const remove of [...leftovers.values()].reverse()) remove()
})
/** How Vitest ends a worker; without a listener, 'exit' would not be emitted. */
process.once('SIGTERM', () => process.exit(143))

/** A new, empty folder, of `user` where one is given. */
export async function makeFolder(user?: User): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'handshake-session-'))
  leftovers.set(folder, () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  if (user) await chown(folder, user.uid, user.gid)
  return folder
}

export async function removeFolder(folder: string): Promise<void> {
  leftovers.delete(folder)
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** A port of 127.0.0.1 that nothing listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}

export class Daemon {
  readonly #options: DaemonOptions
  readonly #child: ChildProcess
  /** Resolves to how it ended, once its own children have let go of its output as well. */
  readonly #exit: Promise<string>
  #log = ''

  /** Starts the program and waits until it takes connections. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(options)
    try {
      await daemon.#ready()
    } catch (error) {
      await daemon.kill()
      throw error
    }
    return daemon
  }

  private constructor(options: DaemonOptions) {
    const { program, args, folder, user, env } = options
    this.#options = options
    this.#child = spawn(program, args, {
      ...user,
      cwd: folder,
      env: { ...process.env, LC_ALL: 'C', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    leftovers.set(this, () => this.#child.kill('SIGKILL'))
    this.#exit = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message))
      this.#child.once('close', (code, signal) => resolve(`exit ${code ?? signal}`))
    })
  }

  /** The id of its process. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** What it has written, the end of it. */
  get log(): string {
    return this.#log
  }

  /** Asks it to stop, and waits until it has. */
  async stop(): Promise<void> {
    this.#child.kill(this.#options.stopSignal ?? 'SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopsWithin)
    await this.#exit
    clearTimeout(timer)
    leftovers.delete(this)
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
    leftovers.delete(this)
  }

  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${this.#options.program} did not start: ${why}\n${this.#log}`))
      const timer = setTimeout(fail, startsWithin, `not ready within ${startsWithin} ms`)
      const read = (chunk: Buffer) => {
        this.#log = (this.#log + chunk).slice(-10_000)
        if (this.#options.ready.test(this.#log)) resolve()
      }
      this.#child.stdout?.on('data', read)
      this.#child.stderr?.on('data', read)
      this.#exit.then(fail).finally(() => clearTimeout(timer))
    })
  }
}
