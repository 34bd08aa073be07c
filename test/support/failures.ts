/** What nobody awaited in this process, whose tests are of several files; `guard.ts` looks at it after each. */
import { format } from 'node:util'
import createDebug from 'debug'
import { secret } from './secret.js'

export const failures: unknown[] = []
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
