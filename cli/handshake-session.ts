#!/usr/bin/env node
/**
 * The command line of the package: `npx handshake-session explain`. It reads what was given, prints the answer and
 * chooses the exit code; what the answer says is `explain.ts`'s part.
 */
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { SessionError, type SessionMiddleware } from '../src'
import { explainOffline, type Given } from './explain'

const help = `Usage: handshake-session explain [options] [<Cookie header>]

Why a socket with this Cookie header would be refused, or that it would be let in: each step, and the first cause.
The header is one argument, or comes on standard input. Nothing that is printed holds a secret, an id or a cookie.

  --options <module>  a module that exports what handshakeSession() is given, by \`export default\` or
                      \`module.exports\`: the middleware that session() returned, or the options { store, secret,
                      name, … }; the options below come before its own
  --secret <secret>   the secret of session(), also several times. Everybody on this machine sees it in \`ps\`:
                      the environment variable SESSION_SECRET is not seen
  --name <name>       name of the session cookie (default: connect.sid)
  --origins <origin>  another site that may use the cookie, also several times
  --origin <origin>   the Origin header of the handshake, as in https://app.example.com
  --host <host>       the Host header of the handshake
  --help              this text

Without a store, that is without --options, it cannot tell whether the session exists, and stops after the signature.
Exit code: 0 accepted (without a store: nothing found against it), 1 refused, 2 wrong usage.
`

class UsageError extends Error {}

interface Answer {
  text: string
  exitCode: number
}

async function answer(args: string[]): Promise<Answer> {
  const { values, positionals } = parse(args)
  const [command, header, ...more] = positionals
  if (values.help) return { text: help, exitCode: 0 }
  if (command !== 'explain') throw new UsageError('expected the command explain')
  if (more.length > 0) throw new UsageError('expected the Cookie header as one argument: put it in quotes')
  const { host, origin } = values
  const options = await readOptions(values)
  const headers = { cookie: await readHeader(header), ...(host && { host }), ...(origin && { origin }) }
  return explainOffline(headers, options)
}

function parse(args: string[]) {
  const one = { type: 'string' } as const
  const several = { type: 'string', multiple: true } as const
  const flags = { options: one, secret: several, name: one, origins: several, origin: one, host: one }
  try {
    return parseArgs({ args, allowPositionals: true, options: { ...flags, help: { type: 'boolean', short: 'h' } } })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

type Flags = ReturnType<typeof parse>['values']

async function readOptions({ options: file, secret, name, origins }: Flags): Promise<Given> {
  const fromModule = file === undefined ? {} : await load(file)
  const fromEnvironment = fromModule.middleware ? undefined : process.env['SESSION_SECRET']
  if (fromModule.middleware && (secret || name !== undefined)) {
    throw new UsageError(`${file} exports a session middleware, which has its own secret and name`)
  }
  return {
    ...(fromEnvironment && { secret: fromEnvironment }),
    ...fromModule,
    ...(secret && { secret }),
    ...(name !== undefined && { name, key: undefined }),
    ...(origins && { origins }),
  }
}

async function load(file: string): Promise<Given> {
  let exported: unknown
  try {
    const module = await import(pathToFileURL(resolve(file)).href)
    exported = await (module.default?.__esModule ? module.default.default : module.default)
  } catch (error) {
    throw new UsageError(`${file} cannot be loaded (${nameOf(error)}): \`node ${file}\` shows why`)
  }
  if (typeof exported === 'object' && exported !== null) return exported
  if (typeof exported === 'function') return { middleware: exported as SessionMiddleware }
  throw new UsageError(
    `${file}: expected it to export a session middleware, or an object { store, secret, … }, as default; got ${typeof exported}`,
  )
}

/** Not its message: that, or the line of source that Node shows with it, may hold a secret. */
function nameOf(error: unknown): unknown {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown }
  return code ?? name ?? typeof error
}

async function readHeader(argument = '-'): Promise<string> {
  if (argument === '-' && process.stdin.isTTY)
    throw new UsageError('expected a Cookie header, or one on standard input')
  const header = (argument === '-' ? await text(process.stdin) : argument).trim().replace(/^cookie:\s*/i, '')
  if (header === '' || header.includes('=')) return header
  throw new UsageError('expected a Cookie header, name=value; got a text without =')
}

/** The exit is an explicit one, as a store's own connection would keep the process alive. */
function finish({ text, exitCode }: Answer): void {
  const stream = exitCode === 2 ? process.stderr : process.stdout
  stream.write(text, () => process.exit(exitCode))
}

function excuse(error: unknown): Answer {
  const isMistake =
    error instanceof UsageError || (error instanceof SessionError && error.code === 'ERR_SESSION_OPTIONS')
  if (!isMistake) throw error
  return { text: `handshake-session: ${error.message}\nhandshake-session --help says more.\n`, exitCode: 2 }
}

const giveUp = (why: string) => finish(excuse(new UsageError(why)))
process.once('beforeExit', () => giveUp('the module of options never gave its options'))
// An `error` event of a store's connection, say. Exit code 1 would say that the handshake is refused.
process.on('uncaughtException', (error) => giveUp(`something failed (${nameOf(error)}), in the store or in here`))
answer(process.argv.slice(2)).catch(excuse).then(finish)
