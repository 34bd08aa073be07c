/** Two thousand handshakes at once: what they cost the store, and that all who may get in do. */
import { once } from 'node:events'
import { sign } from 'cookie-signature'
import { expect, onTestFinished, test } from 'vitest'
import WebSocket from 'ws'
import { secret, startApp } from './support/app.js'
import { CountingStore } from './support/counting-store.js'

const crowd = 2_000

/** Connects as a Socket.IO client does, without the weight of one: what the server answered to CONNECT. */
async function knock(url: string, cookie: string): Promise<string> {
  const client = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
    headers: { cookie },
  })
  onTestFinished(() => client.terminate())
  const answer = new Promise<string>((resolve, reject) => {
    client.on('error', reject)
    client.on('message', (data) => {
      const packet = String(data)
      if (packet.startsWith('0')) client.send('40')
      else if (packet.startsWith('40')) resolve('let in')
      else if (packet.startsWith('44')) resolve(JSON.parse(packet.slice(2)).data.code)
    })
  })
  await once(client, 'open')
  return answer
}

async function fates(url: string, cookies: string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const fate of await Promise.all(cookies.map((cookie) => knock(url, cookie))))
    counts[fate] = (counts[fate] ?? 0) + 1
  return counts
}

const cookieFor = (id: string, by = secret) => `connect.sid=${encodeURIComponent(`s:${sign(id, by)}`)}`

/** Takes 50 ms for a read. */
class DistantStore extends CountingStore {
  override get(...args: Parameters<CountingStore['get']>): void {
    setTimeout(() => super.get(...args), 50)
  }
}

test('2,000 handshakes with bad signatures cost no call of the store', async () => {
  const store = new CountingStore()
  const app = await startApp({ store })
  const cookies = Array.from({ length: crowd }, (_, i) => cookieFor(`id-${i}`, 'another secret'))
  expect(await fates(app.url, cookies)).toEqual({ ERR_SESSION_SIGNATURE: crowd })
  expect(store.calls).toEqual({ get: 0, set: 0, touch: 0, destroy: 0 })
})

test('2,000 handshakes with one valid cookie cost one read, also while that is on its way', async () => {
  const store = new DistantStore()
  const app = await startApp({ store, freshFor: 600_000 })
  const cookie = await app.login()
  store.reset()
  expect(await fates(app.url, Array(crowd).fill(cookie))).toEqual({ 'let in': crowd })
  expect(store.calls).toEqual({ get: 1, set: 0, touch: 0, destroy: 0 })
}, 20_000)

test('2,000 handshakes of distinct sessions all get in over a store that takes 50 ms a read', async () => {
  const store = new DistantStore()
  const app = await startApp({ store })
  const record = { cookie: { originalMaxAge: null } } as never
  const ids = Array.from({ length: crowd }, (_, i) => `id-${i}`)
  for (const id of ids) store.set(id, record)
  expect(
    await fates(
      app.url,
      ids.map((id) => cookieFor(id)),
    ),
  ).toEqual({ 'let in': crowd })
  expect(store.calls.get).toBe(crowd)
})
