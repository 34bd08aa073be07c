/**
 * Every guard, bound, rule and security condition of the core, one row each: who adds one to `src/` adds its row.
 *
 * A group is one source file; its rows say what is broken, the text that is replaced (it must be there exactly once), its
 * replacement, and the test file that must fail, without `.test.ts`. Then, if need be: `only`, the names of the tests that
 * are run; `hangs`, that the test does not end.
 */
import { cookie } from './table/cookie.mjs'
import { options } from './table/options.mjs'
import { origin } from './table/origin.mjs'
import { store } from './table/store.mjs'
import { ticket } from './table/ticket.mjs'

const groups = [...options, ...cookie, ...origin, ...ticket, ...store]

export const table = groups.flatMap(({ file, rows }) =>
  rows.map(([broken, text, replacement, test, more]) => ({ file, broken, text, replacement, test, ...more })),
)
