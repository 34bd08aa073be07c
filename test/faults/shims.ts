/** Every way into the old packages that asks the store, or the database. */
import { EventEmitter } from 'node:events'
import cookieParser from 'cookie-parser'
import type { SessionData } from 'express-session'
import { SessionError } from 'handshake-session'
import sessionIO from 'handshake-session/compat/session.io'
import socketSession from 'handshake-session/compat/socket.io-mysql-session'
import { enable, type Options } from 'handshake-session/compat/socket.io-sessions'
import * as zappajs from 'handshake-session/compat/zappajs'
import { expect, onTestFinished } from 'vitest'
import { handshakeWith, signedCookie, verdictsOf } from '../compat/handshakes.js'
import { fate, listen } from '../compat/old-server.js'
import { byEvent, type Session } from '../compat/sessions-server.js'
import { askForKey } from '../compat/zappajs-apps.js'
import { type App, ask, connect, idOf, pair, secret, startApp } from '../support/app.js'
import { faults } from '../support/faulty-store.js'
import {
  type Database,
  drivers,
  openDatabase,
  type Peer,
  type SessionDatabase,
  startServer,
} from '../support/mysql-session.js'
import { leave } from './core.js'
import { type Entry, type Outcome, short, soon, type Trial } from './trial.js'

export const shims: Record<string, Entry> = {
  'session.io': async (trial) => {
    await putAnn(trial)
    const authorize = sessionIO(cookieParser(secret), trial.store, 'connect.sid', null, { timeout: trial.timeout })
    trial.break('reads')
    const verdicts = await verdictsOf(authorize, handshakeWith(signedCookie()))
    expect(verdicts).toHaveLength(1)
    const [[error, authorized] = []] = verdicts
    expect(authorized).toBe(!error)
    await trial.expectKept('ann-id')
    expect(await verdictsOf(authorize, handshakeWith(signedCookie()))).toEqual([[null, true]])
    return error ? said(error) : 'works'
  },
  'socket.io, with session.io': async (trial) => {
    await putAnn(trial)
    const { io, url } = await listen()
    const authorize = sessionIO(cookieParser(secret), trial.store, 'connect.sid', null, { timeout: trial.timeout })
    let outcome = 'works'
    io.set('authorization', (handshake: object, answer: (error?: unknown, authorized?: boolean) => void) =>
      authorize(handshake, (error, authorized) => {
        if (error) outcome = said(error)
        answer(error, authorized)
      }),
    )
    let admitted = 0
    io.sockets.on('connection', () => admitted++)
    const client = connect(url, signedCookie())
    trial.break('reads')
    expect(await fate(client)).toBe(outcome === 'works' ? 'connect' : 'handshake error')
    await trial.expectKept('ann-id')
    expect(admitted).toBe(outcome === 'works' ? 1 : 0)
    expect(await fate(connect(url, signedCookie()))).toBe('connect')
    return outcome
  },
  'socket.io-sessions: `sconnection`': async (trial) => {
    const app = await startSessions(trial)
    const cookie = await app.login()
    const { client, socket } = await pair(app, cookie)
    const connected = soon(app.io.sockets, 'sconnection').then(() => 'works')
    const invalid = soon(app.io.sockets, 'sinvalid')
    trial.break('reads', () => leave(client, socket.conn))
    byEvent(client, signedValue(cookie))
    const gone = soon(socket, 'disconnect').then(() => 'dropped')
    const outcome = await Promise.race([connected, trial.next(), gone])
    if (trial.told.length > 0) await invalid
    await trial.expectKept(idOf(cookie))
    if (outcome === 'dropped') return outcome
    const again = soon(app.io.sockets, 'sconnection')
    byEvent((await pair(app, cookie)).client, signedValue(cookie))
    await again
    return outcome
  },
  'socket.io-sessions: the save at the end': async (trial) => {
    const app = await startSessions(trial)
    const cookie = await app.login()
    const { client, socket } = await pair(app, cookie)
    const connected = soon<[unknown, Session]>(app.io.sockets, 'sconnection')
    byEvent(client, signedValue(cookie))
    const [, session] = await connected
    session['count'] = 1
    trial.break('writes')
    const outcome = Promise.race([trial.next(), soon(trial.store.late, 'set').then(() => 'works')])
    await leave(client, socket.conn)
    await trial.expectKept(idOf(cookie), (await outcome) === 'works' ? { count: 1 } : {})
    return outcome
  },
  'socket.io-sessions: `smessage` reads': (trial) => message(trial, 'reads'),
  'socket.io-sessions: `smessage` writes': (trial) => message(trial, 'writes'),
  'zappajs: the key request': async (trial) => {
    const app = await startZappa(trial)
    const cookie = await app.login()
    trial.break('writes')
    const { status, body } = await askForKey(app, cookie)
    trial.mend()
    expect(status).toBe(body.key ? 200 : 500)
    await askForKey(app, cookie).expect(200)
    return body.key ? 'works' : said(body.error)
  },
  'zappajs: `__zappa_key`': async (trial) => {
    const app = await startZappa(trial)
    const cookie = await app.login()
    const { key } = (await askForKey(app, cookie)).body
    const { client, socket } = await pair(app, cookie)
    trial.break('reads', () => leave(client, socket.conn))
    const bound = ask<{ key?: string; error?: string }>(client, '__zappa_key', { key })
    const gone = soon(socket, 'disconnect').then(() => ({ error: 'dropped' }))
    const answer: { key?: string; error?: string } = await Promise.race([bound, gone])
    await trial.expectKept(idOf(cookie))
    if (answer.error === 'dropped') return answer.error
    return answer.key ? 'works' : said(answer.error)
  },
  'zappajs: a handler reads': (trial) => handle(trial, 'reads'),
  'zappajs: a handler writes': (trial) => handle(trial, 'writes'),
}

/** The same on a database, which has its faults in `query`. */
export function databaseShims(database: SessionDatabase): Record<string, Entry> {
  async function start(trial: Trial): Promise<Peer & { token: string; breakDown(): void; mend(): void }> {
    const db = await openDatabase(drivers['a mysql pool'], database.url)
    const faulty = new FaultyDatabase(db, trial)
    const peer = await (await startServer(socketSession({ db: faulty, timeout: trial.timeout })))()
    const { token } = await peer.getToken({})
    const breakDown = () => {
      faulty.isBroken = true
      trial.late(() => leave(peer.client, peer.socket.conn))
    }
    const mend = () => {
      faulty.isBroken = false
    }
    return { ...peer, session: peer.session, token, breakDown, mend }
  }
  return {
    'socket.io-mysql-session: `getToken`': async (trial) => {
      const { socket, token, getToken, breakDown, mend } = await start(trial)
      breakDown()
      const gone = soon(socket, 'disconnect').then(() => ({ errors: 'dropped' }))
      const { errors } = await Promise.race([getToken({ token }), gone])
      mend()
      if (errors === 'dropped') return errors
      expect(await getToken({ token })).toEqual({ token, errors: '' })
      return errors ? said(errors) : 'works'
    },
    'socket.io-mysql-session: `session.set`': async (trial) => {
      const { session, token, breakDown, mend } = await start(trial)
      breakDown()
      const outcome = await session.set('count', 1).then(() => 'works', said)
      mend()
      await session.set('more', 2)
      expect(JSON.parse(String((await database.row(token))?.data))).toEqual({ count: 1, more: 2 })
      return outcome
    },
  }
}

type Ends = Awaited<ReturnType<typeof pair>>

class FaultyDatabase extends EventEmitter {
  isBroken = false

  constructor(
    readonly db: Database,
    readonly trial: Trial,
  ) {
    super()
    trial.store.late.once('release', () => {
      this.isBroken = false
    })
  }

  query(sql: string, values: unknown[], callback: (error: unknown, rows?: unknown) => void): unknown {
    const run = (done: typeof callback) => this.db.query(sql, values, done)
    return this.isBroken ? faults[this.trial.fault](run, callback, this.trial.store.late, this) : run(callback)
  }
}

async function message(trial: Trial, method: 'reads' | 'writes'): Promise<Outcome> {
  const app = await startSessions(trial, { per_message: true })
  const cookie = await app.login()
  const ends = await pair(app, cookie)
  ends.socket.on('smessage', (count: number, session: Session) => {
    session['count'] = count
  })
  const connected = soon(app.io.sockets, 'sconnection')
  byEvent(ends.client, signedValue(cookie))
  await connected
  await app.sessions.load({ headers: { cookie } }) // So the read of the handshake is over as well.
  return count(trial, method, idOf(cookie), ends, (count) => ends.client.send(count))
}

async function handle(trial: Trial, method: 'reads' | 'writes'): Promise<Outcome> {
  const app = await startZappa(trial)
  const cookie = await app.login()
  const ends = await pair(app, cookie)
  const { key } = (await askForKey(app, cookie)).body
  await ask(ends.client, '__zappa_key', { key })
  return count(trial, method, idOf(cookie), ends, (count) => ends.client.emit('set', { count }))
}

/** Sends 1 while the fault is there, and 2 afterwards; what was written is in the store. */
async function count(trial: Trial, method: 'reads' | 'writes', id: string, ends: Ends, send: (count: number) => void) {
  const { client, socket } = ends
  trial.break(method, () => leave(client, socket.conn))
  const outcome = Promise.race([trial.next(), soon(trial.store.late, 'set').then(() => 'works')])
  send(1)
  await trial.expectKept(id, (await outcome) === 'works' ? { count: 1 } : {})
  if (!client.connected) return outcome
  const again = soon(trial.store.late, 'set')
  send(2)
  await again
  await trial.expectKept(id, { count: 2 })
  return outcome
}

function putAnn({ store }: Trial): Promise<void> {
  const record = { user: 'ann', cookie: { originalMaxAge: null } } as SessionData
  return new Promise((done) => store.set('ann-id', record, () => done()))
}

async function startSessions(trial: Trial, options: Options = {}): Promise<App> {
  const app = await startApp({ ...trial.options, attach: false })
  const { store, timeout, tell: onError } = trial
  enable({ socket: app.io, store, secret, timeout, onError, ...options })
  return app
}

async function startZappa(trial: Trial): Promise<App> {
  const app = await startApp({ ...trial.options, attach: false })
  const { store, timeout, tell: onError } = trial
  const zappa = zappajs.bind({ app: app.express, io: app.io, store, timeout, onError })
  onTestFinished(() => zappa.close())
  zappa.on('set', function (data) {
    Object.assign(this.session ?? {}, data)
  })
  return app
}

/** What `session()` put into the cookie: the signed id. */
function signedValue(cookie: string): string {
  return decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1))
}

/** The old words, as codes. */
function said(error: unknown): Outcome {
  if (error instanceof SessionError) return short(error)
  return /did not answer/.test(String(error)) ? 'TIMEOUT' : 'STORE'
}
