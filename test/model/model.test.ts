/**
 * Random histories against the model, over all profiles: two processes side by side, each with its own virtual clock.
 * `npm run model` plays as many as it is told.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const histories = 2_058

test.concurrent.each(['0/2', '1/2'])(
  'histories, part %s, hold what is promised',
  async (part) => {
    const program = join(import.meta.dirname, 'run.mjs')
    const played = promisify(execFile)(process.execPath, [program, String(histories), '--part', part, '--show', '1'])
    const report = await played.then(
      ({ stdout }) => stdout.trim(),
      ({ stdout, stderr }) => `${stdout}${stderr}`,
    )
    expect(report).toBe(`0 of ${histories / 2} histories failed`)
  },
  120_000,
)
