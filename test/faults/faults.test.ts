/** SECURITY.md's table of store faults, cell by cell. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Fault } from '../support/faulty-store.js'
import { useSessionDatabase } from '../support/mysql-session.js'
import { core } from './core.js'
import { databaseShims, shims } from './shims.js'
import { Trial } from './trial.js'

const entries = { ...core, ...shims, ...databaseShims(useSessionDatabase()) }
const [head = [], ...rows] = tableAfter('## When the store fails')
const faults = head.slice(1) as Fault[]

test('SECURITY.md has a row for every way in', () => {
  expect(rows.map(([entry]) => entry)).toEqual(Object.keys(entries))
})

describe.each(rows)('%s while the store', (entry = '', ...outcomes) => {
  const cases = faults.map((fault, i) => [fault, outcomes[i] ?? ''] as const).filter(([, outcome]) => outcome !== '')
  test.each(cases)('%s: %s', async (fault, outcome) => {
    expect(await entries[entry]?.(new Trial(fault))).toBe(outcome)
  })
})

/** The cells of the first table under this heading of SECURITY.md. */
function tableAfter(heading: string): string[][] {
  const text = readFileSync(new URL('../../SECURITY.md', import.meta.url), 'utf8')
  const [table = ''] = /\|(.|\n)*?\n(?=\n|$)/.exec(text.slice(text.indexOf(heading))) ?? []
  const lines = table.split('\n').filter((line) => line && !line.startsWith('|--'))
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  )
}
