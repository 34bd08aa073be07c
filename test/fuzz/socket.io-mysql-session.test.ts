/**
 * `getToken` of socket.io-mysql-session, on a database that takes equality as loosely as MySQL can: a token is adopted
 * only if it is the very id of a row that is good.
 */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import fc from 'fast-check'
import socketSession, { type SocketSession } from 'handshake-session/compat/socket.io-mysql-session'
import { forge, forgery, hostile, payloadsWith } from './arbitraries.js'
import { holds, type Measure } from './budget.js'
import { survivesAs } from './references.js'

const soon = Math.round(Date.now() / 1000) + 86_400
const rows = [
  { sessionId: 'ann_Ann-ann_Ann-ann_Ann-ann_Ann1', expires: soon, data: '{"user":"ann"}' },
  { sessionId: 'eve', expires: 1, data: '{"user":"eve"}' },
  { sessionId: 'odd', expires: soon, data: '["user"]' },
  { sessionId: 'nil', expires: soon, data: null },
]
const token = fc.tuple(fc.constantFrom(...rows), forgery).map(([{ sessionId }, forgery]) => forge(sessionId, forgery))

holds(
  'a token opens the session that it names to the letter, and whatever else is shown begins a new one',
  'socket.io-mysql-session',
  fc.record({ shown: fc.array(payloadsWith('token', token), { minLength: 1, maxLength: 3 }), value: hostile }),
  async ({ shown, value }, measure) => {
    const db = looseDatabase()
    const connect = socketSession({ db })
    for (const params of shown) {
      const { socket, session } = connected(connect)
      const { token, errors } = await getToken(socket, params, measure)
      const named = Object(params)['token']
      const isAnns = named === rows[0]?.sessionId
      assert.match(token, /^[\w-]{32}$/)
      assert.equal(token === named, isAnns)
      assert.equal(session.get('user'), isAnns ? 'ann' : '')
      assert(errors === '' ? isAnns : ['Session Not Found', 'Session Expired'].includes(errors), errors)
    }
    const { socket, session } = connected(connect)
    const { token } = await getToken(socket, {}, measure)
    await measure(() => session.set('__proto__', value))
    const again = connected(connect)
    await getToken(again.socket, { token }, measure)
    assert(
      survivesAs(value === undefined ? '' : value, again.session.get('__proto__')),
      'a value is loaded as it was set',
    )
  },
)

type Database = socketSession.Options['db']

/** Rows that are equal without case and blanks, for 0 all of them, and for an object as well. */
function looseDatabase(): Database {
  let kept = rows
  return {
    query(sql, [id, expires, data], callback) {
      if (sql.startsWith('SELECT'))
        return callback(
          null,
          kept.filter(({ sessionId }) => looselyEqual(id, sessionId)),
        )
      const row = { sessionId: String(id), expires: Number(expires), data: String(data) }
      kept = [...kept.filter(({ sessionId }) => sessionId !== id), row]
      callback(null)
    },
  }
}

function looselyEqual(asked: unknown, id: string): boolean {
  return typeof asked !== 'string' || asked.trim().toLowerCase() === id.toLowerCase()
}

function connected(connect: socketSession.Middleware): { socket: EventEmitter; session: SocketSession } {
  const socket = new EventEmitter() as EventEmitter & { session: SocketSession }
  connect(socket, () => {})
  return { socket, session: socket.session }
}

function getToken(socket: EventEmitter, params: unknown, measure: Measure): Promise<{ token: string; errors: string }> {
  return measure(
    () =>
      new Promise((resolve) => {
        socket.once('gotToken', resolve)
        socket.emit('getToken', params)
      }),
  )
}
