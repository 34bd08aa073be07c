// One cell of the matrix, connect-redis: two processes' worth of stores on one Redis count in one session at the same time, and none
// of it is lost; an update of a session that is known is one command. Exits with 1 at the first step that fails.
const assert = require('node:assert/strict')
const connectRedis = require('connect-redis')
const { createClient } = require('redis')
const { handshakeSession } = require('handshake-session')

const { RedisStore = connectRedis.default } = connectRedis
const each = 50

async function openNode() {
  const client = await createClient({ url: process.env.REDIS_URL }).connect()
  const commands = []
  const counting = new Proxy(client, {
    get(target, name) {
      const value = target[name]
      if (typeof value !== 'function') return value
      return (...args) => {
        commands.push(name)
        return value.apply(target, args)
      }
    },
  })
  const store = new RedisStore({ client: counting, prefix: `matrix-${process.pid}:` })
  return { client, commands, store, sessions: handshakeSession({ store, secret: 'keyboard cat', redis: counting }) }
}

const count = (session) => {
  session.count = (session.count ?? 0) + 1
}

async function main() {
  const nodes = [await openNode(), await openNode()]
  const record = { cookie: { originalMaxAge: null }, user: 'ann' }
  await new Promise((done, fail) =>
    nodes[0].store.set('the-session', record, (error) => (error ? fail(error) : done())),
  )
  const updates = nodes.flatMap(({ sessions }) =>
    Array.from({ length: each }, () => sessions.update('the-session', count)),
  )
  await Promise.all(updates)
  const [{ store, sessions, commands }] = nodes
  const stored = await new Promise((done) => store.get('the-session', (_error, found) => done(found)))
  assert.equal(stored.count, 2 * each, 'updates of two nodes at once are all there')
  commands.length = 0
  await Promise.all([1, 2, 3].map(() => sessions.update('the-session', count)))
  assert.deepEqual(commands, ['get', 'eval', 'eval'], 'three updates at once are one read and two writes')
  await sessions.revoke('the-session')
  process.exit(0)
}

main()
