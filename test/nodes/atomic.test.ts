/** update is atomic across processes, where the store can compare and set. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { SessionData } from 'express-session'
import { describe, expect, onTestFinished, test } from 'vitest'
import { read } from '../support/other-program.js'
import { startMariaDB, startPostgres, startRedis } from '../support/services.js'
import { type OpenStore, openMySQL, openPostgres, openRedis } from '../support/stores.js'

interface Engine {
  start(): Promise<{ url: string; stop(): Promise<void> }>
  open(url: string): Promise<OpenStore>
  count: number
}

const redis: Engine = { start: startRedis, open: openRedis, count: 2_500 }

const engines: Record<string, Engine> = {
  'node-redis': redis,
  ioredis: redis,
  mysql: { start: startMariaDB, open: openMySQL, count: 2_500 },
  postgres: { start: startPostgres, open: openPostgres, count: 250 },
}

/** Four processes that increment one counter at once; what they say they did. */
async function incrementInFour(engine: string, url: string, id: string, count: number) {
  const given = JSON.stringify({ engine, url, id, count })
  const children = Array.from({ length: 4 }, () => fork(join(import.meta.dirname, 'updater.mjs'), [given]))
  await Promise.all(children.map((child) => once(child, 'message')))
  const outcomes = children.map((child) => once(child, 'message'))
  for (const child of children) child.send('go')
  return (await Promise.all(outcomes)).map(([outcome]) => outcome as { done: number; failed: number })
}

describe.each(Object.entries(engines))('%s', (engine, { start, open, count }) => {
  test(`four processes, ${count} updates each, at once: none is lost, none is there twice`, async () => {
    const service = await start()
    const { store, close } = await open(service.url)
    onTestFinished(async () => {
      await close()
      await service.stop()
    })
    const record = { cookie: { originalMaxAge: null }, user: 'ann' } as unknown as SessionData
    await new Promise<void>((done, fail) => store.set('the-session', record, (error) => (error ? fail(error) : done())))
    const outcomes = await incrementInFour(engine, service.url, 'the-session', count)
    expect(outcomes).toEqual(Array(4).fill({ done: count, failed: 0 }))
    expect(await read(store, 'the-session')).toMatchObject({ count: 4 * count, user: 'ann' })
  }, 600_000)
})
