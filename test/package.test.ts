/** The packed tarball, as strangers get it: linted, and installed into a CommonJS, an ESM and a TypeScript project. */
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compile } from './support/consumer.js'

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

test("typescript.mts compiles, and README's quick start and its TypeScript when pasted into strict files", async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const snippet = (language: string, number: number) =>
    [...readme.matchAll(/^```(js|ts)\n(.*?)^```/gms)].filter(([, of]) => of === language)[number]?.[2]
  await writeFile(join(folder, 'server.mts'), `${snippet('js', 0)}\n${snippet('ts', 0)}`)
  await writeFile(join(folder, 'client.mts'), `${snippet('ts', 1)}`)
  const paths = await Promise.all([
    makeProject(['typescript.mts'], { module: 'node16', skipLibCheck: true }),
    makeProject(['typescript.mts'], { module: 'esnext', moduleResolution: 'bundler', skipLibCheck: true }),
    makeProject(['server.mts', 'client.mts'], { module: 'nodenext', lib: ['es2023', 'dom'] }),
  ])
  expect(await compile('typescript', ['--build', ...paths], folder)).toBe('')
}, 60_000)

/** The path of its tsconfig. What TypeScript itself brings is not checked. */
async function makeProject(files: string[], options: { module: string; [option: string]: unknown }): Promise<string> {
  const path = join(folder, `${options.module}.json`)
  const always = { strict: true, noEmit: true, target: 'es2022', types: ['node'], skipDefaultLibCheck: true }
  await writeFile(path, JSON.stringify({ compilerOptions: { ...always, ...options }, files }))
  return path
}
