/**
 * What our declarations promise to a TypeScript project: `types/` compiles, and each of its wrong uses is an error there
 * (`@ts-expect-error`), in the three TypeScripts that are in use, both ways of resolving modules, and as npm and as pnpm
 * lay packages out. Without `skipLibCheck`: our own declarations are what is checked. A compiler takes all projects in one
 * run: most of what it reads is the same in each.
 */
import { cp, writeFile } from 'node:fs/promises'
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

const strict = {
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  esModuleInterop: true,
  // What TypeScript itself brings; it takes half of the time.
  skipDefaultLibCheck: true,
}
const projects = [
  ['npm', 'node16', 'node16'],
  ['npm', 'bundler', 'preserve'],
  ['pnpm', 'node16', 'node16'],
] as const

/** The path of its tsconfig. */
async function makeProject([layout, moduleResolution, module]: (typeof projects)[number]): Promise<string> {
  const path = join(folders[layout], `${moduleResolution}.json`)
  const compilerOptions = { ...strict, moduleResolution, module, types: ['node'], target: 'es2022' }
  await writeFile(path, JSON.stringify({ compilerOptions, files: ['options.ts', 'sessions.ts', 'compat.ts'] }))
  return path
}

test.each(['typescript-5', 'typescript', 'typescript-7'])(
  '%s: as npm and as pnpm lay packages out, and with both ways of resolving modules',
  async (compiler) => {
    const paths = await Promise.all(projects.map(makeProject))
    expect(await compile(compiler, ['--build', '--force', ...paths], folders.npm)).toBe('')
  },
  120_000,
)
