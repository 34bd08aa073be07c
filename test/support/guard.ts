/**
 * Around every test: a failure that nobody awaits (an unhandled rejection, an uncaught exception), or listeners that pile
 * up, fail the test during which that happened.
 */
import { afterEach } from 'vitest'

const failures: unknown[] = []
process.on('unhandledRejection', (reason) => failures.push(reason))
process.on('uncaughtExceptionMonitor', (error) => failures.push(error))
process.on('warning', (warning) => warning.name === 'MaxListenersExceededWarning' && failures.push(warning))

afterEach(() => {
  const found = failures.splice(0)
  if (found.length > 0) throw new AggregateError(found, 'nobody awaited what failed here')
})
