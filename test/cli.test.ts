/** `handshake-session explain`: every answer it gives, with its exit code; and in none of them an id, a secret or a cookie. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { sign } from 'cookie-signature'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeFolder, removeFolder } from './support/daemon.js'
import { secret } from './support/secret.js'

const program = resolve(import.meta.dirname, '../dist/cli/handshake-session.js')
const id = 'oVKmCzvVbPnCAmzGIcu1Fp9fTVjCkHLG'
const cookie = `connect.sid=${encodeURIComponent(`s:${sign(id, secret)}`)}`
const forged = `connect.sid=${encodeURIComponent(`s:${sign(id, 'another cat')}`)}`
/** What no output may hold: the secrets, the id, and the two signatures. */
const hidden = [secret, 'another cat', id, ...[cookie, forged].flatMap((each) => each.slice(-40))]

interface Run {
  stdin?: string
  env?: Record<string, string>
  cwd?: string
}

/** What it prints, by lines; its exit code; and that it told no secret. */
async function run(args: string[], { stdin = '', env = {}, cwd = '/' }: Run = {}) {
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: { ...process.env, SESSION_SECRET: '', ...env },
  })
  child.stdin.end(stdin)
  const [out, err, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  expect(hidden.filter((each) => (out + err).includes(each))).toEqual([])
  return { lines: out.split('\n').slice(0, -1), err, exitCode }
}

const explain = (...args: string[]) => run(['explain', '--secret', secret, ...args])

/** A folder with these files, gone after the test. */
async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await makeFolder()
  onTestFinished(() => removeFolder(folder))
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  return folder
}

/** Options whose store has our session, or does what else `get` says. */
const storeOptions = (get = `done(null, id === '${id}' ? { cookie: {} } : null)`, rest = '') =>
  `{ secret: '${secret}', ${rest} store: { get: (id, done) => { ${get} }, set() {}, destroy() {} } }`

/** A module that exports a session middleware, whose store has our session. */
const middleware = (store = `Object.assign(new session.Store(), ${storeOptions()}.store)`) => `
  const session = require('${resolve(import.meta.dirname, '../node_modules/express-session')}')
  const store = ${store}
  module.exports = session({ store, name: 'sid', secret: '${secret}', resave: false, saveUninitialized: false })`

describe('without a store', () => {
  test('a signed cookie passes every step that can be taken, and the last is said to be open', async () => {
    expect(await explain(cookie)).toEqual({
      lines: [
        '✓ origin     no Origin header: not a page of another site',
        '✓ cookie     there is a cookie named connect.sid',
        '✓ signature  signed with one of the secrets',
        '? session    not looked up: there is no store (see --options)',
        '',
        'Nothing found against it; whether the session exists was not seen',
      ],
      err: '',
      exitCode: 0,
    })
  })

  test('a cookie that is signed with another secret is refused at the signature', async () => {
    const { lines, exitCode } = await explain(forged)
    expect(lines[2]).toMatch(/^✗ signature {2}the session cookie is signed with none of the 1 secret/)
    expect([lines.at(-1), exitCode]).toEqual(['Refused: ERR_SESSION_SIGNATURE', 1])
  })

  test('of several secrets one is enough', async () => {
    expect(await explain('--secret', 'another cat', forged)).toMatchObject({ exitCode: 0 })
  })

  test('no cookie, or one of another name, is refused at the cookie', async () => {
    const { lines, exitCode } = await explain('--name', 'sid', cookie)
    expect(lines[1]).toMatch(/^✗ cookie .*"connect.sid" is signed with our secret: is it the `name`/)
    expect([lines.at(-1), exitCode]).toEqual(['Refused: ERR_SESSION_COOKIE_MISSING', 1])
    expect((await explain('')).lines[1]).toMatch(/No cookie at all came$/)
  })

  test.each([
    ['a value, encoded', `${cookie.slice('connect.sid='.length)}=x`],
    ['a value, as it is', `s:${sign(id, secret)}=x`],
    ['an id', `${id}=`],
    ['something short that is encoded', 'j%3A%22ann%22=x'],
  ])('%s that was pasted as a name is not printed', async (_what, pasted) => {
    const { lines, err, exitCode } = await explain(`theme=dark; ${pasted}`)
    expect(lines[1]).toMatch(/Cookies that came: "theme"$/)
    expect(lines.join() + err).not.toContain(pasted.slice(0, pasted.indexOf('=')))
    expect(exitCode).toBe(1)
  })

  test('a page of another site is refused, and that the server may know it is said', async () => {
    const page = ['--origin', 'https://other.example', '--host', 'app.example']
    const { lines, exitCode } = await explain(...page, cookie)
    expect(lines[0]).toMatch(/^✗ origin {5}a page of "https:\/\/other.example" connects to "app.example"/)
    expect(lines.slice(-2)).toEqual(['Refused: ERR_SESSION_ORIGIN', expect.stringContaining('cors.origin')])
    expect(exitCode).toBe(1)
    expect(await explain(...page, '--origins', 'https://other.example', cookie)).toMatchObject({ exitCode: 0 })
    expect(await explain('--origin', 'https://app.example', '--host', 'app.example', cookie)).toMatchObject({
      exitCode: 0,
    })
  })

  test('the secret may come from the environment, and one that is given comes before it', async () => {
    expect(await run(['explain', cookie], { env: { SESSION_SECRET: secret } })).toMatchObject({ exitCode: 0 })
    expect(
      await run(['explain', '--secret', 'another cat', cookie], { env: { SESSION_SECRET: secret } }),
    ).toMatchObject({
      exitCode: 1,
    })
  })
})

test.each([
  ['as it is', cookie],
  ['with a line end', `${cookie}\n`],
  ['as a header line', `Cookie: ${cookie}\r\n`],
])('the header comes on standard input, %s', async (_how, stdin) => {
  for (const args of [[], ['-']]) {
    expect(await run(['explain', '--secret', secret, ...args], { stdin })).toMatchObject({ exitCode: 0 })
  }
})

describe('with the options of the app', () => {
  test.each([
    ['a CommonJS module', 'options.cjs', `module.exports = ${storeOptions()}`],
    ['an ES module', 'options.mjs', `export default ${storeOptions()}`],
    ['a promise', 'options.cjs', `module.exports = Promise.resolve(${storeOptions()})`],
    ['compiled by TypeScript', 'options.cjs', `exports.__esModule = true; exports.default = ${storeOptions()}`],
  ])('%s: the session is looked up', async (_kind, file, content) => {
    const cwd = await folderWith({ [file]: content })
    const { lines, exitCode } = await run(['explain', '--options', file, cookie], { cwd })
    expect(lines.slice(-3)).toEqual(['✓ session    the store has it', '', 'Accepted'])
    expect(exitCode).toBe(0)
  })

  test.each([
    ['a session that is gone', 'done(null, null)', 'ERR_SESSION_NOT_FOUND', /✗ session .*expired or was destroyed$/],
    ['a store that fails', `done(new Error('${secret}'))`, 'ERR_SESSION_STORE', /✗ session .*failed in get\(\)$/],
    ['a store that is silent', '', 'ERR_SESSION_TIMEOUT', /✗ session .*did not answer get\(\) within 50 ms/],
  ])('%s is refused', async (_what, get, code, step) => {
    const cwd = await folderWith({ 'options.cjs': `module.exports = ${storeOptions(get, 'timeout: 50,')}` })
    const { lines, exitCode } = await run(['explain', '--options', 'options.cjs', cookie], { cwd })
    expect(lines[3]).toMatch(step)
    expect([lines.at(-1), exitCode]).toEqual([`Refused: ${code}`, 1])
  })

  test('a MemoryStore is empty here, which is said', async () => {
    const content = `class MemoryStore { get(id, done) { done() } set() {} destroy() {} }
      module.exports = { secret: '${secret}', store: new MemoryStore() }`
    const cwd = await folderWith({ 'options.cjs': content })
    const { lines } = await run(['explain', '--options', 'options.cjs', cookie], { cwd })
    expect(lines.at(-1)).toMatch(/^A MemoryStore is in the memory of the app/)
  })

  test('where no session is required, what would refuse is told, and accepted', async () => {
    const cwd = await folderWith({ 'options.cjs': `module.exports = ${storeOptions('done()', 'required: false,')}` })
    const { lines, exitCode } = await run(['explain', '--options', 'options.cjs', cookie], { cwd })
    expect([lines.at(-1), exitCode]).toEqual(['Accepted without a session (required: false): ERR_SESSION_NOT_FOUND', 0])
  })

  test('flags come before the module, the module before the environment', async () => {
    const cwd = await folderWith({ 'options.cjs': `module.exports = { secret: '${secret}', key: 'sid' }` })
    const named = cookie.replace('connect.sid', 'sid')
    const given = { cwd, env: { SESSION_SECRET: 'another cat' } }
    expect(await run(['explain', '--options', 'options.cjs', named], given)).toMatchObject({ exitCode: 0 })
    const flags = ['--name', 'connect.sid', '--secret', 'another cat']
    expect(await run(['explain', '--options', 'options.cjs', ...flags, forged], given)).toMatchObject({ exitCode: 0 })
  })

  test('the middleware itself is enough: its secret, its name, its store', async () => {
    const cwd = await folderWith({ 'options.cjs': middleware() })
    const named = cookie.replace('connect.sid', 'sid')
    const explained = (...args: string[]) => run(['explain', '--options', 'options.cjs', ...args], { cwd })
    expect(await explained(named)).toMatchObject({
      lines: [
        '✓ origin     no Origin header: not a page of another site',
        '✓ cookie     there is a cookie named sid',
        '✓ signature  signed with one of the secrets',
        '✓ session    the store has it',
        '',
        'Accepted',
      ],
      exitCode: 0,
    })
    expect((await explained(cookie)).lines[1]).toMatch(/"connect.sid" is signed with our secret: is it the `name`/)
    expect((await explained(forged.replace('connect.sid', 'sid'))).lines.at(-1)).toBe('Refused: ERR_SESSION_SIGNATURE')
    expect((await explained('--secret', 'another cat', named)).err).toMatch(/a session middleware, which has its own/)
    expect((await explained('--name', 'x', named)).err).toMatch(/a session middleware, which has its own/)
    const foreign = ['--origin', 'https://other.example', '--host', 'app.example']
    expect((await explained(...foreign, named)).exitCode).toBe(1)
    expect((await explained(...foreign, '--origins', 'https://other.example', named)).exitCode).toBe(0)
  })

  test('the default store of a middleware is empty here, which is said', async () => {
    const cwd = await folderWith({ 'options.cjs': middleware('undefined') })
    const { lines } = await run(['explain', '--options', 'options.cjs', cookie.replace('connect.sid', 'sid')], { cwd })
    expect(lines.at(-1)).toMatch(/^A MemoryStore is in the memory of the app/)
  })

  test('a store with a connection does not keep it running', async () => {
    const cwd = await folderWith({ 'options.cjs': `setInterval(() => {}, 1e6); module.exports = ${storeOptions()}` })
    expect(await run(['explain', '--options', 'options.cjs', cookie], { cwd })).toMatchObject({ exitCode: 0 })
  })
})

describe('wrong usage', () => {
  test.each<[string, string[], RegExp]>([
    ['no command', [], /expected the command explain/],
    ['a header in place of the command', [cookie], /expected the command explain/],
    ['an unknown option', ['explain', `--sercet=${secret}`, cookie], /Unknown option '--sercet'/],
    ['an option without its value', ['explain', cookie, '--secret'], /'--secret <value>' argument missing/],
    ['a header without quotes', ['explain', '--secret', secret, 'a=b;', cookie], /one argument: put it in quotes/],
    ['a bare value', ['explain', '--secret', secret, id], /expected a Cookie header, name=value/],
    ['no secret', ['explain', cookie], /secret: expected a string, Buffer or secret KeyObject/],
    [
      'an origin that is none',
      ['explain', '--secret', secret, '--origins', 'a/b', cookie],
      /origins: expected an origin/,
    ],
  ])('%s: exit code 2, and nothing on standard output', async (_what, args, message) => {
    const { lines, err, exitCode } = await run(args)
    expect(err).toMatch(message)
    expect(err).toMatch(/^handshake-session: .*\nhandshake-session --help says more\.\n$/s)
    expect([lines, exitCode]).toEqual([[], 2])
  })

  test.each([
    ['no such file', undefined, /options.cjs cannot be loaded \(ERR_MODULE_NOT_FOUND\)/],
    [
      'broken syntax',
      `module.exports = { secret: '${secret}' store }`,
      /\(SyntaxError\): `node options.cjs` shows why/,
    ],
    ['one that throws', `throw new Error('${secret}')`, /cannot be loaded \(Error\)/],
    ['one that throws a string', `throw '${secret}'`, /cannot be loaded \(string\)/],
    [
      'one that never resolves',
      'module.exports = new Promise(() => {})',
      /the module of options never gave its options/,
    ],
    [
      'one that fails later',
      `setImmediate(() => { throw new Error('${secret}') }); module.exports = new Promise(() => {})`,
      /something failed \(Error\)/,
    ],
    [
      'one that exports a string',
      `module.exports = '${secret}'`,
      /expected it to export a session middleware, or an object .*; got string/,
    ],
    ['a function that is no middleware', 'module.exports = () => {}', /expected the function that session\(\{ … \}\)/],
    [
      'a store that is none',
      `module.exports = { store: '${secret}', secret: 'x' }`,
      /store: expected an express-session store/,
    ],
  ])('a module of options, %s: exit code 2, and not a word of its content', async (_what, content, message) => {
    const cwd = await folderWith(content === undefined ? {} : { 'options.cjs': content })
    const { lines, err, exitCode } = await run(['explain', '--options', 'options.cjs', cookie], { cwd })
    expect(err).toMatch(message)
    expect([lines, exitCode]).toEqual([[], 2])
  })
})

test('--help names every option, and warns of secrets on a command line', async () => {
  const { lines, exitCode } = await run(['--help'])
  const named = lines.flatMap((line) => line.match(/^ {2}(--\w+)/)?.[1] ?? [])
  expect(named).toEqual(['--options', '--secret', '--name', '--origins', '--origin', '--host', '--help'])
  expect(lines.join('\n')).toMatch(/sees it in `ps`:\s+the environment variable SESSION_SECRET is not seen/)
  expect(exitCode).toBe(0)
})
