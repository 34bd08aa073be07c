/** Several instances on one store have one registry between them; and what they leave of the store. */
import session from 'express-session'
import { type HandshakeSessionOptions, handshakeSession } from 'handshake-session'
import { expect, onTestFinished, test, vi } from 'vitest'
import { signedCookie, storeWithAnn } from './compat/handshakes.js'
import { idOf, pair, secret, startApp } from './support/app.js'
import { otherProgram, write } from './support/other-program.js'

const handshake = { headers: { cookie: signedCookie() } }

/** One more instance on this store. */
function join(store: session.Store, options: Partial<HandshakeSessionOptions> = {}) {
  const sessions = handshakeSession({ store, secret, ...options })
  onTestFinished(() => sessions.close())
  return sessions
}

test('the longest timeout counts', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const store = storeWithAnn()
  const { get } = store
  let answer = () => {}
  store.get = (...args) => {
    answer = () => get.apply(store, args)
  }
  join(store, { timeout: 10_000 })
  const loading = join(store, { timeout: 50 }).load(handshake)
  await vi.advanceTimersByTimeAsync(5_000)
  answer()
  expect(await loading).toMatchObject({ user: 'ann' })
})

test('the shortest recheck counts', async () => {
  const app = await startApp({ recheck: 20 })
  join(app.store, { recheck: 60_000 })
  const cookie = await app.login()
  const { socket } = await pair(app, cookie)
  await write(otherProgram(app.store), idOf(cookie), 'theme', 'dark')
  await vi.waitFor(() => expect(socket.handshake.session['theme']).toBe('dark'))
})

test('mergeHttpSaves of one counts', async () => {
  const app = await startApp({ mergeHttpSaves: true })
  join(app.store, { mergeHttpSaves: false })
  app.express.get('/slow', async (req, res) => {
    await app.sessions.update(req.sessionID, (s) => (s.count = 5))
    req.session.items = ['from HTTP']
    res.end()
  })
  const cookie = await app.login()
  await app.get('/slow', cookie)
  expect(await app.get('/session', cookie)).toMatchObject({ count: 5, items: ['from HTTP'] })
})

test('updates by all of them lose none, and one session object is theirs', async () => {
  const store = storeWithAnn()
  const instances = [join(store), join(store)]
  const increments = Array.from({ length: 50 }, (_, index) =>
    instances[index % 2]?.update('ann-id', async (s) => {
      const { count = 0 } = s
      await new Promise(setImmediate)
      s.count = count + 1
    }),
  )
  await Promise.all(increments)
  const [one, other] = await Promise.all(instances.map((each) => each.load(handshake)))
  expect(one).toMatchObject({ count: 50 })
  expect(one).toBe(other)
})

test('after the last close() the store is as it was, and what others have put around it stays', () => {
  const own = vi.fn()
  const store = Object.assign(new session.MemoryStore(), { touch: own })
  const sessions = join(store)
  expect(Object.keys(store)).toEqual(expect.arrayContaining(['set', 'destroy', 'touch']))
  const byOthers = vi.fn()
  store.destroy = byOthers
  sessions.close()
  expect(store.touch).toBe(own)
  expect(store.destroy).toBe(byOthers)
  expect(Object.hasOwn(store, 'set')).toBe(false)
})

test('the clock of sessions stops when there are none', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const sessions = join(storeWithAnn())
  const ticket = sessions.ticket({ session: {}, sessionID: 'ann-id' })
  await sessions.load({ headers: {}, auth: { ticket } })
  expect(vi.getTimerCount()).toBe(1)
  await new Promise(setImmediate)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(vi.getTimerCount()).toBe(0)
})

test('the clock of sessions keeps no process alive', async () => {
  const begun = vi.spyOn(globalThis, 'setInterval')
  onTestFinished(() => begun.mockRestore())
  const sessions = join(storeWithAnn())
  const ticket = sessions.ticket({ session: {}, sessionID: 'ann-id' })
  await sessions.load({ headers: {}, auth: { ticket } })
  expect(begun.mock.results.map(({ value }) => value.hasRef())).toEqual([false])
})
