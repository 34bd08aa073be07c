/**
 * How many cases a property gets, from which seed, and what may happen in one: `npm test` runs a few thousand, `npm run
 * fuzz` a million. What a case is, and what must hold for it, is each file's own business.
 *
 * `FUZZ_CASES`: how many in all. Setting it makes the run the long one, where a case over 5 ms fails.
 * `FUZZ_SEED`: repeats a run, or a failure that printed it.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'vitest'

/** Which part of all cases a property gets, in thousandths. */
const shares = {
  'cookie header': 270,
  'signed value': 220,
  ticket: 120,
  'ticket life': 60,
  handshake: 120,
  'session.io': 50,
  authorization: 30,
  'socket.io-sessions': 40,
  'socket.io-mysql-session': 40,
  'zappajs event': 25,
  'zappajs request': 15,
  'events on the wire': 9,
  'handshakes on the wire': 1,
} as const

const { FUZZ_CASES, FUZZ_SEED } = process.env
const total = Number(FUZZ_CASES ?? 8_000)
const seed = Number(FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
/** Noise is part of a run that shares its machine: what is not quick is run again, and the fastest run counts. */
const attempts = FUZZ_CASES ? 12 : 1
/** Milliseconds. */
const [quick, limit] = [1, 5]

/** Runs the package's part of a case, so that its time is not that of the reference. Waits for promises, too. */
export type Measure = <T>(work: () => T) => T

/**
 * A test that `check` throws for no value of `arbitrary`, nothing is rejected unheard, and no prototype is changed. A check
 * starts from the same state each time: it may be run again.
 */
export function holds<T>(
  promise: string,
  share: keyof typeof shares,
  arbitrary: fc.Arbitrary<T>,
  check: (value: T, measure: Measure) => unknown,
): void {
  const numRuns = Math.ceil((total * shares[share]) / 1_000)
  const run = async () => {
    let slowest = 0
    const property = fc.asyncProperty(arbitrary, async (value) => {
      slowest = Math.max(slowest, await fastestOf(() => runOnce(value, check)))
    })
    await fc.assert(property, { numRuns, seed })
    console.info(`fuzz: ${share}: ${numRuns} cases, seed ${seed}, slowest ${slowest.toFixed(2)} ms`)
  }
  test(promise, run, 3_600_000)
}

async function fastestOf(run: () => Promise<number>): Promise<number> {
  let fastest = Number.POSITIVE_INFINITY
  for (let times = 0; times < attempts && fastest > quick; times++) fastest = Math.min(fastest, await run())
  assert(!FUZZ_CASES || fastest <= limit, `a case takes ${fastest.toFixed(1)} ms, each of ${attempts} times`)
  return fastest
}

/** What nobody heard of; Vitest alone would not say in which case. */
const strays: unknown[] = []
process.on('unhandledRejection', (reason) => strays.push(reason))
process.on('uncaughtException', (error) => strays.push(error))

/** @returns the milliseconds of the slowest part that was measured */
async function runOnce<T>(value: T, check: (value: T, measure: Measure) => unknown): Promise<number> {
  let slowest = 0
  const measure: Measure = (work) => {
    const begun = performance.now()
    const stop = () => {
      slowest = Math.max(slowest, performance.now() - begun)
    }
    const result = work()
    if (!(result instanceof Promise)) stop()
    return result instanceof Promise ? (result.finally(stop) as typeof result) : result
  }
  await check(value, measure)
  assert.deepEqual(strays.splice(0), [], 'nothing is thrown or rejected unheard')
  assert(!('polluted' in {}), 'no prototype is changed')
  return slowest
}
