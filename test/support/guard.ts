/**
 * Around every test: a failure that nobody awaits (an unhandled rejection, an uncaught exception), listeners that pile
 * up, or a log line of ours that tells an id or a secret, fail the test during which that happened.
 */
import { afterEach } from 'vitest'
import { failures } from './failures.js'

afterEach(() => {
  const found = failures.splice(0)
  if (found.length > 0) throw new AggregateError(found, 'nobody awaited what failed here')
})
