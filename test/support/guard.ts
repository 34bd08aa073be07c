/**
 * Around every test: a failure that nobody awaits (an unhandled rejection, an uncaught exception), listeners that pile
 * up, or a log line of ours that tells an id or a secret, fail the test during which that happened.
 */
import { format } from 'node:util'
import createDebug from 'debug'
import { afterEach } from 'vitest'
import { secret } from './secret.js'

const failures: unknown[] = []
process.on('unhandledRejection', (reason) => failures.push(reason))
process.on('uncaughtExceptionMonitor', (error) => failures.push(error))
process.on('warning', (warning) => warning.name === 'MaxListenersExceededWarning' && failures.push(warning))

process.on(
  'warning',
  ({ message }) => secretive.test(message) && failures.push(new Error(`a warning tells too much: ${message}`)),
)

/** What looks as an id of express-session does, and the secret. */
const secretive = new RegExp(`(?<![\\w-])[\\w-]{32}(?![\\w-])|${secret}`)

createDebug.enable('handshake-session*')
delete process.env['DEBUG'] // Not for child processes.
createDebug.log = (...args: unknown[]) => {
  const line = format(...args)
  if (secretive.test(line)) failures.push(new Error(`the log tells too much: ${line}`))
}

afterEach(() => {
  const found = failures.splice(0)
  if (found.length > 0) throw new AggregateError(found, 'nobody awaited what failed here')
})
