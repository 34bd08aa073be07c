/**
 * What clients of zappajs can ask for: a key over HTTP, and on the socket to be bound to the session of a key. Only a key
 * that was given out binds, to the session that it was given for; every question is answered once.
 */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import session, { type SessionData } from 'express-session'
import fc from 'fast-check'
import * as zappajs from 'handshake-session/compat/zappajs'
import { forge, forgery, hostile, payloadsWith, text } from './arbitraries.js'
import { holds, type Measure } from './budget.js'
import { survivesAs } from './references.js'

const records: Record<string, object> = {
  'ann-id': { user: 'ann', cookie: { originalMaxAge: null } },
  'key-of-ann': { id: 'ann-id', cookie: {} },
  'key-of-nobody': { id: 'nobody', cookie: {} },
  'no-key': { id: 7, cookie: {} },
  'with-id': { id: 'ann-id', cookie: { originalMaxAge: null } },
}
const key = fc.oneof(
  fc.tuple(fc.constantFrom(...Object.keys(records)), forgery).map(([key, forgery]) => forge(key, forgery)),
  text,
)
const data = payloadsWith('key', fc.oneof({ weight: 4, arbitrary: key }, fc.constant(['key-of-ann'])))
const question = fc.record({
  event: fc.constantFrom('__zappa_key', '__zappa_key', '__zappa_settings', 'user'),
  data,
  hasAck: fc.constantFrom(true, true, true, false),
})

holds(
  'a socket is bound by a key of a session, every question is answered once, and what a handler keeps comes back',
  'zappajs event',
  fc.tuple(fc.array(question, { minLength: 1, maxLength: 4 }), hostile),
  async ([questions, value], measure) => {
    const { io, zappa, told } = start()
    zappa.on('user', (_data, ack, { session }) => ack?.(session?.['user'] ?? 'nobody'))
    zappa.on('keep', (data, ack, { session }) => ack?.(void Object.assign(session ?? {}, { data })))
    zappa.on('kept', (_data, ack, { session }) => ack?.({ kept: session?.['data'] }))
    const socket = Object.assign(new EventEmitter(), { id: 'socket-id' })
    io.emit('connection', socket)

    let user = 'nobody'
    for (const { event, data, hasAck } of questions) {
      const answer = hasAck ? await ask(socket, measure, event, data) : socket.emit(event, data)
      const key = Object(data)['key']
      const binds = event === '__zappa_key' && key === 'key-of-ann' && hasAck
      if (binds) user = 'ann'
      if (binds) assert.deepEqual(answer, { key })
      else if (hasAck) assertAnswer(event, answer, user)
    }
    assert.equal(await ask(socket, measure, 'user', null), user)
    await ask(socket, measure, 'keep', value)
    const { kept } = (await ask(socket, measure, 'kept', null)) as { kept: unknown }
    assert(survivesAs(value, kept), 'what a handler keeps comes back')
    zappa.close()
    assert.deepEqual(told, [])
  },
)

/** The answer to anything but a good key. */
function assertAnswer(event: string, answer: unknown, user: string): void {
  if (event === '__zappa_key') assert.match(String(Object(answer)['error']), /^Missing (key\.|data)$/)
  else if (event === '__zappa_settings') assert.deepEqual(answer, { zappa_prefix: '/zappa', zappa_channel: '__local' })
  else assert.equal(answer, user)
}

holds(
  'a key stands for the session of its request, whatever channel and socket it names',
  'zappajs request',
  fc.record({
    channel_name: fc.oneof(text, fc.constantFrom('__proto__', 'constructor', '__local')),
    socket_id: text,
    known: fc.option(key),
    hasSession: fc.constantFrom(true, true, true, false),
  }),
  async ({ known, hasSession, ...params }, measure) => {
    const { store, routes, zappa } = start()
    const own = {
      id: 'ann-id',
      cookie: {},
      __socket: known === null ? undefined : { [params.channel_name]: { key: known } },
    }
    const request = { params, session: hasSession ? own : undefined }
    const reply = await measure(() => answerOf(routes, request))
    zappa.close()
    if (!hasSession) return assert.deepEqual(reply, { status: 400, body: { error: 'No session' } })
    const { key } = reply.body as { key: string }
    const document = JSON.parse((store as unknown as { sessions: Record<string, string> }).sessions[key] ?? '{}')
    assert.deepEqual([reply.status, document], [200, { id: 'ann-id', cookie: {} }])
    assert.notEqual(key, 'ann-id')
  },
)

type Handler = (request: object, response: object) => unknown

function start() {
  const store = new session.MemoryStore()
  for (const [id, record] of Object.entries(records)) store.set(id, record as SessionData)
  const io = new EventEmitter()
  const [routes, told]: [Handler[], unknown[]] = [[], []]
  const app = {
    settings: { 'cookie secret': 'told to nobody' },
    set: () => {},
    get: (_path: string, route: Handler) => routes.push(route),
  }
  const zappa = zappajs.bind({
    app,
    io,
    store,
    onError: (error: unknown) => void told.push(error),
  } as never) as zappajs.Binding
  return { store, io, routes, told, zappa }
}

/** The one answer. */
async function ask(socket: EventEmitter, measure: Measure, event: string, data: unknown): Promise<unknown> {
  const answers: unknown[] = []
  await measure(
    () =>
      new Promise<void>((told) => {
        socket.emit(event, data, (answer: unknown) => told(void answers.push(answer)))
      }),
  )
  assert.equal(answers.length, 1)
  return answers[0]
}

async function answerOf([route]: Handler[], request: object): Promise<{ status: number; body: unknown }> {
  let status = 200
  return new Promise((resolve) => {
    const response = {
      setHeader: () => {},
      status: (code: number) => {
        status = code
      },
      json: (body: unknown) => resolve({ status, body }),
    }
    route?.(request, response)
  })
}
