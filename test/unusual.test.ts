/** Stores and adapters that keep to the letter of what is asked of them, and to nothing else. */
import { handshakeSession, type StoreLike } from 'handshake-session'
import { Adapter } from 'socket.io-adapter'
import { expect, test } from 'vitest'
import { signedCookie } from './compat/handshakes.js'
import { connect, next, secret, startApp } from './support/app.js'

const handshake = { headers: { cookie: signedCookie('id') } }
const record = () => ({ cookie: { originalMaxAge: null }, user: 'ann' }) as never

/** Gives what `answer` gives, in the same turn. */
function storeThat(answer: () => [error: unknown, record?: unknown]): StoreLike {
  return {
    get: (_id, callback) => callback(...(answer() as [unknown])),
    set: (_id, _session, callback) => callback?.(),
    destroy: (_id, callback) => callback?.(),
  }
}

test('who asks again in the same turn is told anew: a session that is there by now, a store that is up again', async () => {
  const answers: [unknown, unknown?][] = [[null, undefined], [null, record()], [new Error('down')], [null, record()]]
  const sessions = handshakeSession({ store: storeThat(() => answers.shift() ?? [null]), secret, freshFor: 0 })
  await expect(sessions.load(handshake)).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
  expect(await sessions.load(handshake)).toMatchObject({ user: 'ann' })
  await new Promise(setImmediate)
  await expect(sessions.load(handshake)).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
  expect(await sessions.load(handshake)).toMatchObject({ user: 'ann' })
  sessions.close()
})

test('a store may call back with a promise, and that may fail, or never be settled', async () => {
  const answers = [async () => record(), () => Promise.reject(new Error('lost')), () => new Promise(() => {})]
  const store = storeThat(() => [null, answers.shift()?.()])
  const sessions = handshakeSession({ store, secret, timeout: 50 })
  expect(await sessions.load(handshake)).toMatchObject({ user: 'ann' })
  await new Promise(setImmediate)
  await expect(sessions.load(handshake)).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
  await expect(sessions.load(handshake)).rejects.toMatchObject({ code: 'ERR_SESSION_TIMEOUT' })
  sessions.close()
})

test('an adapter may return anything when a socket joins', async () => {
  class Chatty extends Adapter {
    override addAll(id: string, rooms: Set<string>): undefined {
      super.addAll(id, rooms)
      return true as never
    }
  }
  const app = await startApp({ io: { adapter: Chatty } })
  const cookie = await app.login()
  for (let times = 0; times < 2; times++) await next(connect(app.url, cookie), 'connect')
})
