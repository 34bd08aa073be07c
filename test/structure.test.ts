/** The architecture, held: imports point one way, types included, and CONTRIBUTING.md names every file. */
import { readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

/** From left to right; a folder, or a file beside the folders, imports nothing to its right. */
const order = [
  'bounded-map',
  'errors',
  'store',
  'handshake',
  'session',
  'socket-io',
  'options',
  'handshake-session',
  'index',
]
/** These are entries, or types for others, and imported by no file of `src`. */
const entries = ['internals', 'augmentation']

interface Source {
  name: string
  text: string
  imports: string[]
}

async function read(folder: string): Promise<Source[]> {
  const names = (await readdir(join(root, folder), { recursive: true })).filter((name) => name.endsWith('.ts'))
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(root, folder, name), 'utf8')
      const paths = [...text.matchAll(/(?:from|import|require\()\s*'(\.[^']*)'/g)].map(([, path]) => path as string)
      const imports = paths
        .map((path) => posix.join(posix.dirname(name), path))
        .filter((path) => !path.startsWith('..'))
      return { name: name.replace(/\.ts$/, ''), text, imports }
    }),
  )
}

/** The first path of imports that leads back to where it began. */
function findCycle(sources: Source[]): string[] | undefined {
  const byName = new Map(sources.map((source) => [source.name, source]))
  const done = new Set<string>()
  const visit = (name: string, path: string[]): string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name]
    if (done.has(name)) return undefined
    for (const next of byName.get(name)?.imports ?? []) {
      const cycle = visit(next, [...path, name])
      if (cycle) return cycle
    }
    done.add(name)
    return undefined
  }
  for (const { name } of sources) {
    const cycle = visit(name, [])
    if (cycle) return cycle
  }
  return undefined
}

const src = await read('src')
const compat = await read('compat')

describe('src', () => {
  test.each(src)('$name imports nothing to its right', ({ name, imports }) => {
    const place = (path: string) => order.indexOf(path.split('/')[0] as string)
    if (entries.includes(name)) return expect(imports.length).toBeGreaterThan(0)
    expect(imports.filter((path) => entries.includes(path) && name !== 'index')).toEqual([])
    expect(
      imports.filter((path) => !entries.includes(path) && !(place(path) >= 0 && place(path) <= place(name))),
    ).toEqual([])
    expect(name.startsWith('session/') && imports.some((path) => path.startsWith('handshake/'))).toBe(false)
  })

  test.each(src)('$name has at most 200 lines', ({ text }) => {
    expect(text.split('\n').length).toBeLessThanOrEqual(201)
  })

  test('is in CONTRIBUTING.md, file by file', async () => {
    const text = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8')
    const tree = text.slice(text.indexOf('\nsrc/\n'), text.indexOf('\n```\n\nImports'))
    const named = [...tree.matchAll(/([\w-]+)\.ts/g)].map(([, file]) => file as string)
    expect(named.sort()).toEqual(src.map(({ name }) => posix.basename(name)).sort())
  })
})

test.each([
  ['src', src],
  ['compat', compat],
])('%s has no cycle of imports, types included', (_folder, sources) => {
  expect(findCycle(sources)).toBeUndefined()
})
