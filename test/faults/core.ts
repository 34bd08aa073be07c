/** Every way into the core that asks the store. */
import { setImmediate } from 'node:timers/promises'
import type { Socket } from 'socket.io-client'
import { expect } from 'vitest'
import { type App, connect, idOf, next, pair, startApp } from '../support/app.js'
import { answerOf, type Entry, outcomeOf, soon, type Trial } from './trial.js'

export const core: Record<string, Entry> = {
  '`attach`: a client connects': async (trial) => {
    const { app, cookie, id } = await start(trial)
    let admitted = 0
    app.io.on('connection', () => admitted++)
    const connection = soon<[Connection]>(app.io.engine, 'connection')
    const client = connect(app.url, cookie)
    trial.break('reads', async () => leave(client, ...(await connection)))
    const refused = soon(client, 'connect_error')
    const outcome = await Promise.race([soon(client, 'connect').then(() => 'works'), trial.next()])
    if (outcome !== 'works') expect(trial.told).toEqual([{ code: outcome, stage: 'handshake' }])
    if (outcome !== 'works' && client.active)
      expect(await refused).toMatchObject([{ data: { code: `ERR_SESSION_${outcome}` } }])
    await trial.expectKept(id)
    expect(admitted).toBe(outcome === 'works' ? 1 : 0)
    await next(connect(app.url, cookie), 'connect')
    return outcome
  },
  'an event comes': async (trial) => {
    const { app, cookie, id } = await start(trial, { freshFor: 0 })
    const { client, socket } = await pair(app, cookie)
    const handled = soon(socket, 'work').then(() => 'works')
    trial.break('reads', () => leave(client, socket.conn))
    const failed = soon(socket, 'error')
    client.emit('work')
    const gone = soon(socket.conn, 'close').then(() => setImmediate('dropped'))
    const outcome = await Promise.race([handled, trial.next(), gone])
    if (trial.told.length > 0) {
      expect(trial.told).toEqual([{ code: outcome, stage: 'refresh' }])
      expect(await failed).toMatchObject([{ code: `ERR_SESSION_${outcome}` }])
    }
    await trial.expectKept(id)
    if (outcome === 'dropped') {
      socket.once('work', () => expect.unreachable('the client is gone'))
      return outcome
    }
    const again = soon(socket, 'work')
    client.emit('work')
    await again
    return outcome
  },
  '`load`': async (trial) => {
    const { app, cookie, id } = await start(trial)
    trial.break('reads')
    const outcome = await outcomeOf(app.sessions.load({ headers: { cookie } }))
    trial.expectSilence()
    await trial.expectKept(id)
    await app.sessions.load({ headers: { cookie } })
    return outcome
  },
  '`update` reads': (trial) => update(trial, 'reads'),
  '`update` writes': (trial) => update(trial, 'writes'),
  '`session.save` reads': (trial) => save(trial, 'reads'),
  '`session.save` writes': (trial) => save(trial, 'writes'),
  'an event touches the session': async (trial) => {
    const { app, cookie, id } = await start(trial)
    const half = { originalMaxAge: 3_600_000, expires: new Date(Date.now() + 1_800_000) }
    await new Promise((done) => trial.store.set(id, { user: 'ann', cookie: half } as never, done))
    const { client, socket } = await pair(app, cookie)
    const handled = soon(socket, 'work')
    const touched = soon(trial.store.late, 'touch').then(() => 'works')
    trial.break('touches', () => leave(client, socket.conn))
    client.emit('work')
    await handled
    const outcome = await Promise.race([trial.next(), touched])
    if (outcome !== 'works') expect(trial.told).toEqual([{ code: outcome, stage: 'touch' }])
    await trial.expectKept(id)
    return outcome
  },
  '`revoke`': async (trial) => {
    const { app, cookie, id } = await start(trial)
    const { client } = await pair(app, cookie)
    const closed = soon(client, 'disconnect')
    trial.break('destroys')
    const outcome = await outcomeOf(app.sessions.revoke(id))
    await closed
    trial.expectSilence()
    trial.mend()
    if (outcome !== 'works') await next(connect(app.url, cookie), 'connect')
    await app.sessions.revoke(id)
    await next(connect(app.url, cookie), 'connect_error')
    return outcome
  },
}

async function update(trial: Trial, method: 'reads' | 'writes') {
  const { app, cookie, id } = await start(trial)
  const { client, socket } = await pair(app, cookie)
  trial.break(method, () => leave(client, socket.conn))
  const count = () => app.sessions.update(id, (session) => (session.count = (session.count ?? 0) + 1))
  const outcome = await outcomeOf(count())
  trial.expectSilence()
  trial.mend()
  if (outcome !== 'works') expect(await count()).toBe(1)
  await trial.expectKept(id, { count: 1 })
  return outcome
}

async function save(trial: Trial, method: 'reads' | 'writes') {
  const { app, cookie, id } = await start(trial)
  const { client, socket } = await pair(app, cookie)
  const { session } = socket.handshake
  session.count = 1
  trial.break(method, () => leave(client, socket.conn))
  const outcome = await answerOf((callback) => session.save(callback))
  trial.expectSilence()
  trial.mend()
  if (outcome !== 'works') expect(await answerOf((callback) => session.save(callback))).toBe('works')
  await trial.expectKept(id, { count: 1 })
  return outcome
}

async function start(trial: Trial, options = {}): Promise<{ app: App; cookie: string; id: string }> {
  const app = await startApp({ ...trial.options, ...options })
  const cookie = await app.login()
  return { app, cookie, id: idOf(cookie) }
}

type Connection = Parameters<typeof leave>[1]

/** The client goes, and the server knows it. */
export async function leave(
  client: Socket,
  connection: { once(event: 'close', listener: () => void): unknown },
): Promise<void> {
  const closed = new Promise<void>((done) => connection.once('close', () => done()))
  client.disconnect()
  await closed
}
