/**
 * `npm run model -- [histories] [--seed n] [--profile name] [--trace]`: plays random histories against the model, and
 * prints for each failure its seed, its profile and the shortest trace that it can make. Exits with 1 if there was one.
 */
import './clock.mjs'
import { parseArgs } from 'node:util'

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** The seed of the first history; the others count up. */
    seed: { type: 'string', default: '1' },
    /** One of `profiles.mjs`; otherwise all in turn. */
    profile: { type: 'string' },
    /** Prints the traces of all histories, as they are. */
    trace: { type: 'boolean', default: false },
    /** How many failures are shown with their traces. */
    show: { type: 'string', default: '3' },
    /** Every second history, for two processes side by side: `0/2` and `1/2`. */
    part: { type: 'string', default: '0/1' },
    /** The module under test. */
    program: { type: 'string', default: 'handshake-session' },
    /** Prints a hash of all traces. */
    hash: { type: 'boolean', default: false },
  },
})

const { runAll } = await import('./histories.mjs')
const failures = await runAll({
  histories: Number(positionals[0] ?? 2_000),
  seed: Number(given.seed),
  profile: given.profile,
  part: given.part.split('/').map(Number),
  isTraced: given.trace,
  isHashed: given.hash,
  shown: Number(given.show),
  program: given.program,
})
process.exitCode = failures > 0 ? 1 : 0
