/**
 * Where the programs are that tests start: on this machine, or put there with apt-get when that needs no password.
 * Nothing is ever skipped: what cannot be had is an error of one line that says what to install.
 */
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Debian keeps daemons where a user's PATH may not lead. */
const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/sbin', '/usr/local/bin']

export interface Program {
  /** Its names, the best first. */
  names: readonly string[]
  /** The Debian package that has it. */
  packageName: string
}

/** The program's path. Installs its package where it is missing. */
export async function findProgram(program: Program): Promise<string> {
  const found = await lookFor(program)
  if (found) return found
  await install(program)
  const installed = await lookFor(program)
  if (installed) return installed
  throw missing(program, 'its package is installed, but the program is not where it should be')
}

async function lookFor({ names }: Program): Promise<string | undefined> {
  const everywhere = [...directories, ...(await postgresDirectories())]
  for (const path of names.flatMap((name) => everywhere.map((directory) => join(directory, name)))) {
    if (await isExecutable(path)) return path
  }
  return undefined
}

/** One directory for each major version, none of them in PATH; the newest first. */
async function postgresDirectories(): Promise<string[]> {
  const root = '/usr/lib/postgresql'
  const versions = await readdir(root).catch(() => [])
  return versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(root, version, 'bin'))
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/**
 * One apt-get at a time on this machine, whichever test worker asks: the lock is on apt's own directory. The lists of
 * packages are brought up to date only where the package cannot be had without.
 */
async function install(program: Program): Promise<void> {
  const get = 'DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300'
  const add = `${get} install -y --no-install-recommends ${program.packageName}`
  const script = `{ ${add} || { ${get} update && ${add}; }; } 2>&1`
  const command = ['flock', '/var/lib/apt', 'sh', '-c', script]
  try {
    const [file = '', ...args] = process.getuid?.() === 0 ? command : ['sudo', '-n', ...command]
    await run(file, args, { maxBuffer: 2 ** 26 })
  } catch (error) {
    throw missing(program, lastLine(error))
  }
}

function lastLine(error: unknown): string {
  const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string }
  return (stdout + stderr).trim().split('\n').at(-1) || message
}

function missing({ names, packageName }: Program, why: string): Error {
  return new Error(`the tests need ${names[0]}: sudo apt-get install ${packageName} (tried that; ${why})`)
}
