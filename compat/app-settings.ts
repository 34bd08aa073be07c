/**
 * The options of the shims, for an app whose lines stay as they are: the environment variable `HANDSHAKE_SESSION` (JSON),
 * or the object `"handshake-session"` in the app's package.json. What an app passes in code comes before both. Also what
 * its package.json tells without being asked: which Socket.IO it was written for.
 */
import { readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { SessionError } from '../src'

export interface AppSettings {
  errorStyle?: '0.9' | '1.x'
  refuseAt?: 'http' | 'socket'
  legacyAddress?: boolean
  timeout?: number
  allowUnsigned?: boolean
  fnOnFailure?: boolean
}

const isBoolean = (value: unknown) => typeof value === 'boolean'
/** What each may be. */
const known: Record<keyof AppSettings, [expected: string, fits: (value: unknown) => boolean]> = {
  errorStyle: ["'0.9' or '1.x'", (value) => value === '0.9' || value === '1.x'],
  refuseAt: ["'http' or 'socket'", (value) => value === 'http' || value === 'socket'],
  legacyAddress: ['true or false', isBoolean],
  timeout: ['milliseconds', (value) => typeof value === 'number'],
  allowUnsigned: ['true or false', isBoolean],
  fnOnFailure: ['true or false', isBoolean],
}

interface Manifest {
  dependencies?: Record<string, unknown>
  devDependencies?: Record<string, unknown>
  'handshake-session'?: unknown
}

let settings: AppSettings | undefined

/** @throws SessionError `ERR_SESSION_OPTIONS` for a name or a value that is none of ours */
export function appSettings(): AppSettings {
  settings ??= readSettings(process.env['HANDSHAKE_SESSION'], readManifest())
  return settings
}

/** For warnings: how to set an option from outside. */
export function howToSet(name: keyof AppSettings, value: unknown): string {
  const json = JSON.stringify({ [name]: value })
  return `pass it in code, or start with HANDSHAKE_SESSION='${json}', or put "handshake-session": ${json} into package.json`
}

/** @param env the environment variable */
export function readSettings(env: string | undefined, manifest: Manifest): AppSettings {
  return {
    ...(isOfOneOrTwo(manifest) ? { errorStyle: '1.x', legacyAddress: false } : {}),
    ...checked('"handshake-session" in package.json', manifest['handshake-session']),
    ...checked('HANDSHAKE_SESSION', env ? parse(env) : undefined),
  }
}

/** Socket.IO 1.x or 2.x, by what the app depends on: the server, or, where that has been updated, the client. */
function isOfOneOrTwo({ dependencies, devDependencies }: Manifest): boolean {
  const all = { ...devDependencies, ...dependencies }
  return [all['socket.io'], all['socket.io-client']].some((range) => /^[\^~>=v\s]*[12](\D|$)/.test(String(range)))
}

function checked(where: string, given: unknown): AppSettings {
  if (given === undefined) return {}
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw wrong(where, 'expected an object')
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, name)) throw wrong(where, `no such option: ${name}`)
    const [expected, fits] = known[name as keyof AppSettings]
    if (!fits(value)) throw wrong(where, `${name}: expected ${expected}`)
  }
  return given
}

function parse(env: string): unknown {
  try {
    return JSON.parse(env)
  } catch {
    throw wrong('HANDSHAKE_SESSION', `expected JSON, as '{"errorStyle":"1.x"}'`)
  }
}

function wrong(where: string, problem: string): SessionError {
  return new SessionError('ERR_SESSION_OPTIONS', `${where}: ${problem}`)
}

/** The package.json of the app: the one nearest to the file or folder that Node was started with; under a process manager, to the folder. */
function readManifest(): Manifest {
  const main = process.argv[1]
  const start = main && !main.includes(`${sep}node_modules${sep}`) ? main : process.cwd()
  for (let folder = start; ; folder = dirname(folder)) {
    const manifest = readJSON(join(folder, 'package.json'))
    if (manifest || folder === dirname(folder)) return manifest ?? {}
  }
}

function readJSON(path: string): Manifest | undefined {
  try {
    return Object(JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''))) as Manifest // npm takes a BOM, too.
  } catch {
    return undefined
  }
}
