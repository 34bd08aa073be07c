/**
 * The same payloads from a real client to a real server with every shim on it: the events of all of them, and handshakes.
 * Time is not measured here, for it would be that of the network.
 */
import assert from 'node:assert/strict'
import session from 'express-session'
import fc from 'fast-check'
import { SESSION_ERROR_CODES } from 'handshake-session'
import socketSession from 'handshake-session/compat/socket.io-mysql-session'
import { enable } from 'handshake-session/compat/socket.io-sessions'
import * as zappajs from 'handshake-session/compat/zappajs'
import { type App, ask, connect, idOf, next, pair, secret, startApp } from '../support/app.js'
import { type Forgery, forge, forgery, hostile, payloadsWith, signedValues, text, toWellFormed } from './arbitraries.js'
import { holds } from './budget.js'
import { idIn, isTicket } from './references.js'

const events = [
  'getToken',
  'connect_with_session',
  'message',
  'smessage',
  'sconnection',
  '__zappa_key',
  '__zappa_settings',
]
const keys = fc.constantFrom('token', '__sid', 'key', 'connect')
const payload = keys.chain((key) => payloadsWith(key, text))
const messages = fc.tuple(fc.constantFrom(...events), fc.array(payload, { maxLength: 2 }))

let connected: ReturnType<typeof startShims> | undefined

/** One connection for all cases: what one of them did to it, the next would see. */
async function startShims() {
  const app = await startApp({ store: new session.MemoryStore() })
  const told: unknown[] = []
  const zappa = zappajs.bind({ app: app.express, io: app.io, store: app.store, onError: (error) => told.push(error) })
  enable({ socket: app.io, store: app.store, secret, onError: () => {} })
  app.io.use(socketSession({ db: { query: (_sql, _values, callback) => callback(null, []) } }) as never)
  zappa.on('who', (_data, ack, { session, socket }) => {
    const { handshake, session: row } = socket as unknown as Record<'handshake' | 'session', Record<string, never>>
    const user = (handshake['session'] as unknown as { user: unknown }).user
    ack?.([user, session?.user ?? 'nobody', row['values']])
  })
  const { client } = await pair(app, await app.login(), { transports: ['websocket'] })
  return { client, told }
}

holds(
  'no event of any shim ends the connection, or gives it a session that it has not proved',
  'events on the wire',
  fc.array(messages, { minLength: 1, maxLength: 4 }),
  async (all) => {
    connected ??= startShims()
    const { client, told } = await connected
    for (const [event, args] of all) client.emit(event, ...args)
    assert.deepEqual(await ask(client, 'who', null), ['ann', 'nobody', {}])
    assert.deepEqual(told, [])
  },
)

let started: Promise<App> | undefined

const auth = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  fc.record({ genuine: forgery }),
  payloadsWith('ticket', hostile).filter((auth) => Object.prototype.toString.call(auth) === '[object Object]'),
)

holds(
  'a client is let in by a good ticket or cookie alone, and is told nothing but a code otherwise',
  'handshakes on the wire',
  fc.record({ auth, forgery, other: fc.option(signedValues(['nobody'])) }),
  async ({ auth: given, forgery, other }) => {
    started ??= startApp()
    const app = await started
    const cookie = await app.login()
    const [name, value] = cookie.split('=') as [string, string]
    const shown = toWellFormed(other ?? forge(decodeURIComponent(value), forgery))
    const issued = app.sessions.ticket({ session: {}, sessionID: idOf(cookie) })
    const genuine = (given as { genuine?: Forgery } | undefined)?.genuine
    const auth = genuine ? { ticket: forge(issued, genuine) } : (given as { ticket?: unknown } | undefined)

    const options = { auth: auth as never, transports: ['websocket'] }
    const client = connect(app.url, `${name}=${encodeURIComponent(shown)}`, options)
    const told = await next<undefined>(client, 'connect').catch((error) => error)
    client.disconnect()
    const ticket = auth?.ticket
    const isIn = ticket === undefined ? idIn(shown, [secret]) === idOf(cookie) : isTicket(ticket, issued)
    assert.equal(told === undefined, isIn, told)
    assert(isIn || SESSION_ERROR_CODES.includes(told.data.code), told)
  },
)
