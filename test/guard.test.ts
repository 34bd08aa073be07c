/** The guard of all other tests: that it would notice. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

test.each([
  ['a rejection that nobody handles', "void Promise.reject(new Error('lost'))"],
  ['an exception that nobody catches', "setImmediate(() => { throw new Error('lost') })"],
  ['listeners that pile up', "for (let i = 0; i < 11; i++) heap.on('x', () => {})"],
])('%s fails the test during which it happens', async (_name, line) => {
  const folder = await mkdtemp(join(import.meta.dirname, 'guarded-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await writeFile(
    join(folder, 'one.test.ts'),
    `import { EventEmitter } from 'node:events'
     import { test } from 'vitest'
     const heap = new EventEmitter()
     test('fine', async () => { ${line}; for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate) })`,
  )
  const output = await new Promise<string>((resolve) => {
    const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs')
    const args = [vitest, 'run', '--config', join(import.meta.dirname, 'vitest.config.mts'), folder]
    execFile(process.execPath, args, { env: { ...process.env, NO_COLOR: '1' } }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    )
  })
  expect(output).toMatch(/Tests +1 failed/)
})
