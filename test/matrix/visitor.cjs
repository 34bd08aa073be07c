// One cell of the matrix, another framework: starts the example that is named (koa.mjs, or nestjs.mjs and its namespace), and uses it.
// Without a login refused → login → the socket sees the session, and what HTTP changes in it → update, which HTTP sees → logout
// closes the socket → the cookie is refused. Exits with 1 at the first step that fails.
const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { io: connect } = require('socket.io-client')

const [file, namespace = ''] = process.argv.slice(2)
const app = spawn(process.execPath, [file], {
  env: { ...process.env, PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit'],
})
process.once('exit', () => app.kill())
process.once('SIGTERM', () => process.exit(1)) // How the matrix ends what takes too long.

async function visit() {
  const [line] = await once(app.stdout, 'data')
  const url = String(line).trim()
  const open = (headers) => connect(url + namespace, { extraHeaders: headers, forceNew: true, reconnection: false })
  const refusal = async (headers) => (await once(open(headers), 'connect_error'))[0].data?.code
  assert.equal(await refusal({}), 'ERR_SESSION_COOKIE_MISSING', 'refused before the login')

  const login = await fetch(`${url}/login`)
  const headers = { cookie: login.headers.get('set-cookie')?.split(';')[0] }
  const get = async (path) => (await fetch(url + path, { headers })).json()
  const client = open(headers)
  await once(client, 'connect')
  assert.equal(await client.emitWithAck('who'), 'ann, 0 visits', 'the session is on the socket')
  assert.deepEqual(await get('/visit'), { visits: 1 }, 'HTTP has the session')
  assert.equal(await client.emitWithAck('who'), 'ann, 1 visits', 'the socket sees what HTTP changed')
  const updates = ['visit', 'visit'].map((event) => client.emitWithAck(event))
  assert.deepEqual(await Promise.all(updates), [2, 3], 'updates come one after the other')
  assert.deepEqual(await get('/visit'), { visits: 4 }, 'HTTP sees the updates')
  const closed = once(client, 'disconnect')
  await get('/logout')
  await closed
  assert.equal(await refusal(headers), 'ERR_SESSION_NOT_FOUND', 'refused after the logout')
  process.exit(0)
}

visit()
