/**
 * npm run mutants: each row of the table breaks one line of the core, in a copy of the build, and the test file that it
 * names must fail by that. Prints a line per row; exits with 1 if a row survives, or is out of date.
 *
 * `npm run mutants -- PATTERN` runs the rows whose file or phrase matches; `--copies 1` uses one core; `--check` runs no
 * test, and only says which rows are out of date by their text.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Copy, OutOfDate } from './copy.mjs'
import { table } from './table.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { copies: { type: 'string', default: '2' }, check: { type: 'boolean', default: false } },
})
/** With `--check`. */
const notRun = { failed: undefined, why: '', isEnded: false }
const pattern = new RegExp(positionals.join(' '), 'i')
const rows = table.filter(({ file, broken }) => pattern.test(`${file}: ${broken}`))

const copies = await Promise.all(Array.from({ length: Number(values.copies) }, () => Copy.make(root)))
const removed = () => Promise.all(copies.map((copy) => copy.remove()))
process.once('SIGINT', () => removed().then(() => process.exit(130)))
const started = performance.now()
try {
  const counts = { killed: 0, survived: 0, 'out of date': 0 }
  const unsound = values.check ? new Map() : await failures(testsOf(rows))
  await share(rows, async (row, copy) => {
    const { verdict, detail } = unsound.get(row.test) ?? (await judge(row, copy))
    if (values.check && verdict !== 'out of date') return
    counts[verdict]++
    console.log(`${verdict.padEnd(11)} ${row.file}: ${row.broken} (${detail})`)
  })
  if (values.check) console.log(`${counts['out of date']} of ${rows.length} out of date`)
  const outOfDate = counts['out of date'] ? `, ${counts['out of date']} out of date` : ''
  if (!values.check)
    console.log(`${counts.killed} killed, ${counts.survived} survived${outOfDate}, in ${secondsSince(started)} s`)
  const sound = values.check ? rows.length - counts['out of date'] : counts.killed
  if (rows.length === 0 || sound < rows.length) process.exitCode = 1
} finally {
  await removed()
}

/** Each test file that the rows name, with a pattern for all those of its tests that they name. */
function testsOf(rows) {
  return [...new Set(rows.map(({ test }) => test))].map((test) => {
    if (test === 'model') return { test, only: Math.max(...rows.map((row) => (row.test === test ? row.only : 0))) }
    const names = rows.filter((row) => row.test === test).map(({ only }) => only)
    return { test, only: names.every(Boolean) ? names.join('|') : undefined }
  })
}

/** What is said of rows whose test file fails with nothing broken. */
async function failures(tests) {
  const found = new Map()
  await share(tests, async ({ test, only }, copy) => {
    const outcome = await outcomeOf(() => run(copy, test, only))
    if (outcome.verdict !== 'survived')
      found.set(test, { verdict: 'out of date', detail: `with nothing broken: ${outcome.detail}` })
  })
  return found
}

/** A test file, or the model. */
function run(copy, test, only) {
  return test === 'model' ? copy.model(only) : copy.test(test, only)
}

/** Whether the test notices that this line is broken, and which one. */
async function judge(row, copy) {
  const begun = performance.now()
  const { verdict, detail } = await outcomeOf(
    () => copy.whileBroken(row, () => (values.check ? notRun : run(copy, row.test, row.only))),
    row.hangs,
  )
  return { verdict, detail: `${detail}, ${secondsSince(begun)} s` }
}

/** `killed` is a test that fails, by what it expects; one that does not even end is that only where the row says so. */
async function outcomeOf(work, hangs) {
  try {
    const { failed, why, isEnded } = await work()
    if (isEnded) return { verdict: hangs ? 'killed' : 'out of date', detail: 'it hangs' }
    if (why.startsWith('ReferenceError')) return { verdict: 'out of date', detail: why }
    return failed === undefined ? { verdict: 'survived', detail: 'all pass' } : { verdict: 'killed', detail: failed }
  } catch (error) {
    if (error instanceof OutOfDate) return { verdict: 'out of date', detail: error.message }
    throw error
  }
}

/** Works through the list, each copy on one thing at a time. */
async function share(list, work) {
  const rest = list.values()
  const worker = async (copy) => {
    for (const each of rest) await work(each, copy)
  }
  await Promise.all(copies.map(worker))
}

function secondsSince(time) {
  return ((performance.now() - time) / 1_000).toFixed(1)
}
