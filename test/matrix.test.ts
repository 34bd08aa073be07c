/** The oldest of everything that is supported, on this Node. `npm run test:matrix` runs all the rest. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the packed tarball works with Socket.IO 4.6, express-session 1.17 and Express 3.21', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'matrix.mjs'), '--quick'])
  expect(stdout.trim().split('\n').at(-1)).toMatch(/ 4\.6\.\d+ +1\.17\.\d+ +3\.21\.\d+ +✓ +✓ +✓$/)
}, 120_000)
