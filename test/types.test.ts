/**
 * What our declarations promise to a TypeScript project: `types/` compiles, and each of its wrong uses is an error there
 * (`@ts-expect-error`), in the three TypeScripts that are in use, both ways of resolving modules, and as npm and as pnpm
 * lay packages out. Without `skipLibCheck`: our own declarations are what is checked.
 */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compile, makeConsumer } from './support/consumer.js'
import { removeFolder } from './support/daemon.js'

const folders = { npm: '', pnpm: '' }

beforeAll(async () => {
  Object.assign(folders, { npm: await makeConsumer(), pnpm: await makeConsumer({ linked: true }) })
  for (const folder of Object.values(folders)) await cp(join(import.meta.dirname, 'types'), folder, { recursive: true })
})
afterAll(() => Promise.all(Object.values(folders).map(removeFolder)))

const files = ['options.ts', 'sessions.ts', 'compat.ts']
const strict = [
  '--noEmit',
  '--strict',
  '--exactOptionalPropertyTypes',
  '--noUncheckedIndexedAccess',
  '--esModuleInterop',
]
const compilers = ['typescript-5', 'typescript', 'typescript-7']
const projects = [
  ['npm', 'node16', 'node16'],
  ['npm', 'bundler', 'preserve'],
  ['pnpm', 'node16', 'node16'],
] as const
const cases = compilers.flatMap((compiler) => projects.map((project) => [compiler, ...project] as const))

test.each(cases)(
  '%s, laid out by %s, moduleResolution %s',
  async (compiler, layout, moduleResolution, module) => {
    const options = [...strict, '--moduleResolution', moduleResolution, '--module', module, '--types', 'node']
    expect(await compile(compiler, [...options, '--target', 'es2022', ...files], folders[layout])).toBe('')
  },
  60_000,
)
