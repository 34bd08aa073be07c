/** The packed tarball, as strangers get it: linted, and installed into a CommonJS, an ESM and a TypeScript project. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const exec = promisify(execFile)
const root = join(import.meta.dirname, '..')
const bin = (name: string) => join(root, 'node_modules', '.bin', name)

let folder: string
let tarball: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'handshake-session-package-'))
  await exec('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root })
  tarball = join(folder, (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '')
  await cp(join(import.meta.dirname, 'consumers'), folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  const own = JSON.parse(JSON.stringify(await import('../package.json'))).devDependencies as Record<string, string>
  const packages = [
    'express',
    'express-session',
    'socket.io',
    'socket.io-client',
    '@types/express',
    '@types/express-session',
    '@types/node',
  ]
  const wanted = packages.map((name) => `${name}@${own[name]}`)
  await exec('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball, ...wanted], { cwd: folder })
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test('publint --strict is content', async () => {
  const { stdout } = await exec(bin('publint'), ['--strict', tarball], { cwd: root })
  expect(stdout).toContain('All good!')
})

test('are-the-types-wrong finds nothing', async () => {
  // The neighbour that `src/augmentation.ts` imports is not in the tarball; `types.test.ts` has what that rule is for.
  const args = [tarball, '--format', 'json', '--ignore-rules', 'internal-resolution-error']
  const { stdout } = await exec(bin('attw'), args, { cwd: root, maxBuffer: 2 ** 26 })
  expect(JSON.parse(stdout)).toMatchObject({ problems: {} })
})

test.each(['commonjs.cjs', 'module.mjs'])('%s runs', async (file) => {
  const { stdout } = await exec(process.execPath, [join(folder, file)], { cwd: folder })
  expect(stdout).toBe('the socket sees ann\n')
})

test('npx handshake-session explain runs', async () => {
  const args = ['--no-install', 'handshake-session', 'explain', '--secret', 'keyboard cat', 'other=1']
  const run = exec('npx', args, { cwd: folder })
  await expect(run).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^Refused: ERR_SESSION_COOKIE_MISSING$/m),
  })
})

test.each(['node16', 'bundler'])(
  'typescript.ts compiles with moduleResolution %s, our own declarations checked',
  async (resolution) => {
    const module = resolution === 'node16' ? 'node16' : 'esnext'
    const options = [
      '--strict',
      '--noEmit',
      '--module',
      module,
      '--moduleResolution',
      resolution,
      '--types',
      'node',
      '--skipLibCheck',
    ]
    await exec(bin('tsc'), [...options, '--target', 'es2022', join(folder, 'typescript.mts')], { cwd: folder }).catch(
      (error) => {
        expect.unreachable(error.stdout)
      },
    )
  },
)

test("README's quick start and its TypeScript compile when pasted into strict files", async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const snippet = (language: string, number: number) =>
    [...readme.matchAll(/^```(js|ts)\n(.*?)^```/gms)].filter(([, of]) => of === language)[number]?.[2]
  const place = join(folder, 'pasted')
  await mkdir(place)
  await writeFile(join(place, 'server.mts'), `${snippet('js', 0)}\n${snippet('ts', 0)}`)
  await writeFile(join(place, 'client.mts'), `${snippet('ts', 1)}`)
  const compilerOptions = { strict: true, noEmit: true, module: 'nodenext', lib: ['es2023', 'dom'], types: ['node'] }
  await writeFile(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  await exec(bin('tsc'), ['-p', place], { cwd: folder }).catch((error) => {
    expect.unreachable(error.stdout)
  })
})
