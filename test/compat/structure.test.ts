/** The shims stay thin: short files that build on what the package exports, and on nothing below it. */
import { readdir, readFile } from 'node:fs/promises'
import { join, normalize } from 'node:path'
import { expect, test } from 'vitest'

const folder = join(import.meta.dirname, '..', '..', 'compat')
const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'))
const sources = await Promise.all(
  files.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })),
)

test.each(sources)('$name imports only the public entries, its own folder, and packages', ({ name, text }) => {
  const imports = [...text.matchAll(/(?:from|require\()\s*'(\.[^']*)'/g)].map(([, path]) =>
    normalize(join(name, '..', path ?? '')),
  )
  const outside = imports.filter((path) => path.startsWith('..'))
  expect(outside.filter((path) => !['../src', '../src/index', '../src/internals'].includes(path))).toEqual([])
})

test.each(sources)('$name has at most 200 lines', ({ text }) => {
  expect(text.split('\n').length).toBeLessThanOrEqual(201)
})
