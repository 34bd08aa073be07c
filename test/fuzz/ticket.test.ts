/** Tickets: read only as they were issued, redeemed once, within their minute, for their session. */
import assert from 'node:assert/strict'
import session, { type SessionData } from 'express-session'
import fc from 'fast-check'
import { handshakeSession, SessionError } from 'handshake-session'
import { Tickets } from 'handshake-session/internals'
import { vi } from 'vitest'
import { forge, forgery, hostile, secrets, text } from './arbitraries.js'
import { holds } from './budget.js'
import { isTicket } from './references.js'

const readers = [new Tickets([secrets[0]]), new Tickets(secrets), new Tickets(['another'])]
const issuers = [...readers, new Tickets([secrets[1]])]
/** Which readers know the secret of which issuer. */
const readable = [
  [true, true, false, false],
  [true, true, false, true],
  [false, false, true, false],
]

holds(
  'a ticket is what was issued with a secret of the reader, and nothing else',
  'ticket',
  fc.record({
    issuer: fc.nat(issuers.length - 1),
    reader: fc.nat(readers.length - 1),
    id: text,
    forgery: fc.option(forgery, { freq: 8 }),
    instead: hostile,
  }),
  ({ issuer, reader, id, forgery, instead }, measure) => {
    const issued = (issuers[issuer] as Tickets).issue(id)
    const shown = forgery ? forge(issued, forgery) : instead
    const read = measure(() => {
      try {
        return (readers[reader] as Tickets).read(shown).id
      } catch (error) {
        assert(error instanceof SessionError && error.code === 'ERR_SESSION_TICKET', error as Error)
        return undefined
      }
    })
    const isGood = isTicket(shown, issued) && readable[reader]?.[issuer]
    assert.equal(read, isGood ? JSON.parse(JSON.stringify(id)) : undefined)
  },
)

const people = ['ann', 'bob', 'nobody'] as const
/** Shows a ticket again and again, on two nodes, as time goes on. */
const showing = fc.record({ node: fc.nat(1), later: fc.constantFrom(0, 1, 20_000, 59_999, 60_000), forgery })

holds(
  'a ticket lets in once, on one of the nodes, for a minute, into its own session',
  'ticket life',
  fc.tuple(fc.constantFrom(...people), fc.array(showing, { minLength: 1, maxLength: 4 })),
  async ([who, showings], measure) => {
    const store = storeOf('ann', 'bob')
    const nodes = [1, 2].map(() => handshakeSession({ store, secret: secrets[0] }))
    let [age, isUsed] = [0, false]
    const now = Date.now()
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now + age)
    const issued = new Tickets([secrets[0]]).issue(who)
    try {
      for (const { node, later, forgery } of showings) {
        age += later
        const ticket = forge(issued, forgery)
        const isGood = isTicket(ticket, issued) && age < 60_000 && !isUsed
        const loaded = await measure(() => load(nodes[node] as (typeof nodes)[number], ticket))
        const code = isGood ? 'ERR_SESSION_NOT_FOUND' : 'ERR_SESSION_TICKET'
        assert.equal(loaded, isGood && who !== 'nobody' ? who : code)
        isUsed ||= isGood && who !== 'nobody'
      }
    } finally {
      clock.mockRestore()
      for (const each of nodes) each.close()
    }
  },
)

function storeOf(...users: string[]): session.MemoryStore {
  const store = new session.MemoryStore()
  for (const user of users) store.set(user, { user, cookie: { originalMaxAge: null } } as SessionData)
  return store
}

/** The user that it lets in, or the code of the refusal. */
async function load(sessions: ReturnType<typeof handshakeSession>, ticket: string): Promise<unknown> {
  try {
    return (await sessions.load({ headers: {}, auth: { ticket } })).user
  } catch (error) {
    assert(error instanceof SessionError, error as Error)
    return error.code
  }
}
