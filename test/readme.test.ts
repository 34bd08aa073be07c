/** What the README says is so: its quick start runs, its tables hold what the code has. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { SESSION_ERROR_CODES } from 'handshake-session'
import { expect, onTestFinished, test } from 'vitest'

const exec = promisify(execFile)
const root = join(import.meta.dirname, '..')
const readme = await readFile(join(root, 'README.md'), 'utf8')
const snippets = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code ?? '')

/** A visitor of the quick start: logs in, asks why, connects, logs out; prints what it sees. */
const visitor = (explain: string) => `
let store
app.get('/explain', async (req, res) => {
  store = req.sessionStore
${explain}
  res.end()
})
app.get('/logout', (req, res) => req.session.destroy(() => res.end()))
io.httpServer.on('listening', async () => {
  const url = 'http://127.0.0.1:' + io.httpServer.address().port
  const cookie = (await fetch(url + '/login')).headers.get('set-cookie').split(';')[0]
  await fetch(url + '/explain', { headers: { cookie } })
  const client = (await import('socket.io-client')).io(url, { extraHeaders: { cookie }, reconnection: false })
  client.emit('who')
  console.log('user:', await new Promise((you) => client.once('you', you)))
  sessions.on('end', ({ reason }) => console.log('end:', reason))
  client.on('disconnect', () => io.close())
  store.get = (id, callback) => setTimeout(() => Object.getPrototypeOf(store).get.call(store, id, callback), 5)
  const adding = setInterval(() => client.emit('add', 'pen'), 1)
  await fetch(url + '/logout', { headers: { cookie } })
  clearInterval(adding)
})`

test('the snippets run as they stand, and the quick start has at most 15 lines', async () => {
  const [quickStart = '', explain = '', ...more] = snippets
  expect(more).toEqual([])
  expect(quickStart.trimEnd().split('\n').filter(Boolean).length).toBeLessThanOrEqual(15)
  const folder = await mkdtemp(join(tmpdir(), 'handshake-session-readme-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const ours = quickStart
    .replace("'handshake-session'", JSON.stringify(join(root, 'dist/src/index.js')))
    .replace('listen(3000)', "listen(0, '127.0.0.1')")
  await writeFile(join(folder, 'app.mjs'), ours + visitor(explain))
  const { stdout } = await exec(process.execPath, [join(folder, 'app.mjs')])
  expect(stdout).toMatch(/^{\n {2}accepted: true,.*the store has it.*\n}\nuser: ann\nend: destroyed\n$/s)
})

test('the table of error codes is the union', () => {
  const rows = [...readme.matchAll(/^\| `(ERR_SESSION_\w+)` \|/gm)].map(([, code]) => code)
  expect(rows).toEqual(SESSION_ERROR_CODES)
})

test('SECURITY.md names tests that there are', async () => {
  const security = await readFile(join(root, 'SECURITY.md'), 'utf8')
  const named = [...security.matchAll(/`(test\/[\w/.-]+)`/g)].map(([, path]) => path as string)
  const isThere = (path: string) => ['', '.test.ts'].some((ending) => existsSync(join(root, path + ending)))
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((path) => !isThere(path))).toEqual([])
})

test('README.md, compat/README.md and SECURITY.md link to what the tarball has', async () => {
  const { stdout } = await exec('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    maxBuffer: 2 ** 24,
  })
  const packed = JSON.parse(stdout)[0].files.map(({ path }: { path: string }) => path) as string[]
  const isThere = (link: string) => packed.some((path) => path === link || path.startsWith(`${link}/`))
  for (const file of ['README.md', 'compat/README.md', 'SECURITY.md']) {
    const text = await readFile(join(root, file), 'utf8')
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) =>
      join(dirname(file), link as string),
    )
    expect(links.filter((link) => !isThere(link))).toEqual([])
  }
})

test('it has fewer than 300 lines', () => {
  expect(readme.split('\n').length).toBeLessThan(300)
})
