/** Several nodes on one Redis: what ends or changes on one does so on all, through the adapter that the app has. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { ask, connect, next } from '../support/app.js'
import { startRedis } from '../support/services.js'

let redis: Awaited<ReturnType<typeof startRedis>>
beforeAll(async () => {
  redis = await startRedis()
}, 600_000)
afterAll(() => redis.stop())

interface NodeOptions {
  adapter?: string
  freshFor?: number
  recheck?: number
  dropEverySecond?: boolean
  httpOnly?: 'with emitter' | 'without emitter'
}

const never = 1_000_000

/** Starts nodes that run until the test ends; their URLs. */
async function startNodes(count: number, options: NodeOptions): Promise<string[]> {
  const { urls, stop } = await startStoppable(count, options)
  onTestFinished(stop)
  return urls
}

async function startStoppable(count: number, options: NodeOptions) {
  const given = { freshFor: never, recheck: never, ...options, redisUrl: redis.url, workers: count }
  const processes = options.adapter === 'cluster-adapter' ? 1 : count
  const children = Array.from({ length: processes }, () =>
    fork(join(import.meta.dirname, 'node.mjs'), [JSON.stringify(given)]),
  )
  const urls: string[] = []
  await new Promise<void>((done, fail) => {
    for (const child of children) {
      child.on('message', ({ url }: { url: string }) => urls.push(url) === count && done())
      child.once('exit', (code) => fail(new Error(`a node ended with ${code}`)))
    }
  })
  return { urls, stop: () => Promise.all(children.map(stop)).then(() => {}) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exited = once(child, 'exit')
  if (child.connected) child.disconnect()
  await exited
}

async function login(url: string): Promise<string> {
  const response = await fetch(`${url}/login/ann`)
  await response.text() // express-session ends the response when the session is saved
  return response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
}

const get = async (url: string, cookie: string) => (await fetch(url, { headers: { cookie } })).text()

async function connectTo(urls: string[], cookie: string): Promise<Socket[]> {
  const clients = urls.map((url) => connect(url, cookie))
  await Promise.all(clients.map((client) => next(client, 'connect')))
  return clients
}

describe.each(['redis-adapter', 'redis-streams-adapter', 'cluster-adapter'])('%s', (adapter) => {
  let urls: string[]
  beforeAll(async () => {
    const nodes = await startStoppable(3, { adapter })
    urls = nodes.urls
    return nodes.stop
  })

  test.each(['logout', 'regenerate', 'revoke'])('%s on one of three nodes closes the sockets on all', async (route) => {
    const cookie = await login(urls[0] ?? '')
    const others = await connectTo(urls, await login(urls[1] ?? ''))
    const clients = await connectTo(urls, cookie)
    const closed = Promise.all(clients.map((client) => next(client, 'disconnect')))
    await get(`${urls[0]}/${route}`, cookie)
    expect(await closed).toEqual(clients.map(() => 'transport close'))
    expect(others.every(({ connected }) => connected)).toBe(true)
  })

  test('a change on one node is in handshake.session on the others, without waiting for freshFor', async () => {
    const cookie = await login(urls[0] ?? '')
    const clients = await connectTo(urls, cookie)
    await get(`${urls[0]}/set/theme/dark`, cookie)
    for (const client of clients) await vi.waitFor(async () => expect(await ask(client, 'read', 'theme')).toBe('dark'))
  })
})

describe('an HTTP-only process beside a node', () => {
  test('with an emitter its logout closes the socket at once', async () => {
    const [node = ''] = await startNodes(1, { adapter: 'redis-adapter' })
    const [http = ''] = await startNodes(1, { httpOnly: 'with emitter' })
    const cookie = await login(http)
    const [client] = await connectTo([node], cookie)
    const closed = next(client as Socket, 'disconnect')
    await get(`${http}/logout`, cookie)
    await closed
  })

  test('without one it is noticed within recheck', async () => {
    const [node = ''] = await startNodes(1, { adapter: 'redis-adapter', recheck: 100 })
    const [http = ''] = await startNodes(1, { httpOnly: 'without emitter' })
    const cookie = await login(http)
    const [client] = await connectTo([node], cookie)
    const closed = next(client as Socket, 'disconnect')
    await get(`${http}/logout`, cookie)
    await closed
  })
})

test('the demo on two nodes: a logout on one closes the socket on the other', async () => {
  const script = join(import.meta.dirname, '..', '..', 'examples', 'demo', 'server.mjs')
  const env = { ...process.env, REDIS_URL: redis.url, PORT: '0', HOST: '127.0.0.1' }
  const children = [1, 2].map(() => spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] }))
  onTestFinished(() => Promise.all(children.map(end)).then(() => {}))
  const lines = await Promise.all(children.map(({ stdout }) => once(stdout, 'data')))
  const [here, there] = lines.map((line) => String(line).match(/http\S+/)?.[0])
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${here}/login`, { method: 'POST', headers, body: '{"user":"Ada"}' })
  await response.text()
  const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const [client] = await connectTo([there ?? ''], cookie)
  const closed = next(client as Socket, 'disconnect')
  await fetch(`${here}/logout`, { method: 'POST', headers: { cookie } })
  expect(await closed).toBe('transport close')
})

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill()
  await exited
}

describe('when every second message between the nodes is lost', () => {
  test('changes are there at the next event after freshFor, endings within recheck', async () => {
    const urls = await startNodes(3, { adapter: 'redis-adapter', dropEverySecond: true, freshFor: 0, recheck: 100 })
    const cookie = await login(urls[0] ?? '')
    const clients = await connectTo(urls, cookie)
    for (const value of ['1', '2', '3', '4']) {
      await get(`${urls[0]}/set/step/${value}`, cookie)
      for (const client of clients) expect(await ask(client, 'read', 'step')).toBe(value)
    }
    const closed = Promise.all(clients.map((client) => next(client, 'disconnect')))
    await get(`${urls[0]}/logout`, cookie)
    await closed
  })
})
