/**
 * Everything a client of socket.io-sessions can send, to both modes: a `sconnection` only for what proves a session, the
 * old events from nobody but the server, and nothing thrown.
 */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import session, { type SessionData } from 'express-session'
import fc from 'fast-check'
import { SessionError } from 'handshake-session'
import { enable, type Options } from 'handshake-session/compat/socket.io-sessions'
import { Tickets } from 'handshake-session/internals'
import { type Forgery, forge, forgery, hostile, payloadsWith, secrets, signedValues, text } from './arbitraries.js'
import { holds } from './budget.js'
import { idIn, isTicket } from './references.js'

/** Ann's; the one of a mere socket of zappajs, and a key document: no sessions. */
const records: Record<string, object> = {
  'ann-id': { user: 'ann', cookie: { originalMaxAge: null } },
  'zappa-id': { cookie: { __io: true, originalMaxAge: null } },
  key: { id: 'ann-id', cookie: {} },
}
const ids = [...Object.keys(records), 'nobody']
const issuer = new Tickets(secrets)

/** A `__sid` that is a ticket is issued when the case is run. */
type Sid = { forgery: Forgery } | { other: unknown }
const sid: fc.Arbitrary<Sid> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ forgery }) },
  fc
    .oneof({ weight: 3, arbitrary: signedValues(ids) }, fc.constantFrom(...ids), hostile, text)
    .map((other) => ({ other })),
)
const events = ['message', 'message', 'smessage', 'sconnection', 'sinvalid']
const noise = fc.tuple(fc.constantFrom(...events), fc.array(payloadsWith('connect', fc.constant(1)), { maxLength: 2 }))

holds(
  'a client is connected to the session that it proves to have, and to none by anything else',
  'socket.io-sessions',
  fc.record({
    sid,
    byMessage: fc.boolean(),
    rawSid: fc.boolean(),
    per_message: fc.boolean(),
    before: fc.array(noise, { maxLength: 2 }),
    after: fc.array(noise, { maxLength: 2 }),
  }),
  async ({ sid, byMessage, rawSid, per_message, before, after }, measure) => {
    const { sockets, told } = start({ rawSid, per_message })
    const [opened, worked]: [unknown[], unknown[]] = [[], []]
    sockets.on('sconnection', (_client, session) => opened.push(session?.id))
    const client = new Client()
    sockets.emit('connection', client)
    client.on('smessage', (_message, session) => worked.push(session?.id))

    const issued = issuer.issue('ann-id')
    const __sid = 'forgery' in sid ? forge(issued, sid.forgery) : sid.other
    const proved = isTicket(__sid, issued) ? 'ann-id' : signedOrBare(__sid, rawSid)
    const proves = proved === 'ann-id'
    const messages = proves && per_message ? after.filter(([event]) => event === 'message') : []
    await measure(async () => {
      for (const [event, args] of before) client.receive(event, ...args)
      if (byMessage) client.receive('message', { __sid, connect: 1 })
      else client.receive('connect_with_session', { __sid })
      for (const [event, args] of after) client.receive(event, ...args)
      for (let turn = 0; turn < 6 || (turn < 100 && worked.length < messages.length); turn++) await setImmediate()
    })
    client.leave()

    assert.deepEqual(
      worked,
      messages.map(() => 'ann-id'),
    )
    if (!per_message) assert.deepEqual(opened, proves ? ['ann-id'] : [])
    for (const error of told) assert(error instanceof SessionError, error as Error)
  },
)

function signedOrBare(sid: unknown, mayBeBare: boolean): string | undefined {
  if (typeof sid !== 'string') return undefined
  return sid.startsWith('s:') || !mayBeBare ? idIn(sid, secrets) : sid
}

/** The part of a server that the shim uses. */
function start(options: Options): { sockets: EventEmitter; told: unknown[] } {
  const sockets = Object.assign(new EventEmitter(), { name: '/', use: () => {} })
  const socket = { sockets, of: () => sockets, path: () => '/socket.io', attach: () => {} }
  const store = new session.MemoryStore()
  for (const [id, record] of Object.entries(records)) store.set(id, record as SessionData)
  const told: unknown[] = []
  enable({ socket, store, secret: [...secrets], onError: (error) => told.push(error), ...options })
  return { sockets, told }
}

type Filter = (event: unknown[], next: () => void) => void

/** The part of a client that it uses. */
class Client extends EventEmitter {
  connected = true
  readonly request = { headers: {} }
  readonly conn = { close: () => {} }
  readonly #filters: Filter[] = []

  use(filter: Filter): void {
    this.#filters.push(filter)
  }

  /** An event from the network. */
  receive(...event: [string, ...unknown[]]): void {
    for (const filter of this.#filters) filter(event, () => this.emit(...event))
  }

  leave(): void {
    this.connected = false
    this.emit('disconnecting')
    this.emit('disconnect')
  }
}
