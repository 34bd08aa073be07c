/**
 * socket.io-sessions, what is mended (F) and what an option brings back (O): each row of LEGACY.md (c) by its name, on real
 * Socket.IO clients. What is kept is in `socket.io-sessions-kept.test.ts`.
 */
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { sign } from 'cookie-signature'
import legacy from 'handshake-session/compat/socket.io'
import { enable, type Options, version } from 'handshake-session/compat/socket.io-sessions'
import { SessionRegistry } from 'handshake-session/internals'
import { Server } from 'socket.io'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { connect, idOf, next, secret } from '../support/app.js'
import { clients } from '../support/clients.js'
import { CountingStore } from '../support/counting-store.js'
import { otherProgram, read, write } from '../support/other-program.js'
import {
  byEvent,
  byMessage,
  connectSid,
  generations,
  join,
  joinSession,
  record,
  type Session,
  settled,
  start,
} from './sessions-server.js'

const perMessage: Options = { per_message: 1, rawSid: true }
const raw: Options = { rawSid: true }

describe('three generations, both handshakes, clients of two protocols', () => {
  const shakes = Object.entries({ message: byMessage, connect_with_session: byEvent })
  const peers = clients.filter(({ version }) => version === '4.8' || version === '2.5')
  const cases = Object.entries(generations).flatMap(([generation, enable]) =>
    shakes.flatMap(([shake, shakeHands]) => peers.map((peer) => ({ generation, enable, shake, shakeHands, ...peer }))),
  )

  test.each(cases)('K: enable of $generation, handshake by $shake, client $version', async (one) => {
    const app = await start((app) => one.enable(app, { per_message: 1 }), { io: { allowEIO3: true } })
    expect(app.manager).toBe(app.io)
    app.manager.on('sconnection', (client) =>
      client.on('smessage', (message: string, session: Session) => client.send(`${message} ${session['user']}`)),
    )
    const { client } = await join(app, undefined, one.connect)
    one.shakeHands(client, idOf(await app.login('ann')))
    const answer = next(client, 'message')
    client.send('hello')
    expect(await answer).toBe('hello ann')
  })

  test('K: through compat/socket.io', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const store = new CountingStore()
    const io = legacy.listen(server)
    onTestFinished(() => io.close())
    expect(enable(io, store)).toBe(io)
    const id = 'an-id'
    store.set(id, { cookie: { originalMaxAge: null }, user: 'ann' } as never)
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    await next(client, 'connect')
    const connected = once(io, 'sconnection')
    byMessage(client, id)
    expect((await connected)[1]).toMatchObject({ user: 'ann' })
  })

  test('K: enable(socket, store) sets load_session_per_message; the module has a version', () => {
    const store = new CountingStore()
    expect(enable(new Server(), store)).toMatchObject({ load_session_per_message: false })
    expect(enable(new Server(), store, { per_message: 1 })).toMatchObject({ load_session_per_message: 1 })
    expect(version).toBe('0.6.1')
  })

  test('F: what was thrown as a string is an Error with the same message, in the same order', () => {
    const [socket, store] = [new Server(), new CountingStore()]
    const given = (args: object) => () => enable(args as never)
    expect(given({ store })).toThrow(new Error('Not a valid socket!'))
    expect(given(undefined as never)).toThrow(new Error('Not a valid socket!'))
    expect(given({ socket })).toThrow(new Error('No session store provided!'))
    expect(given({ socket, store })).toThrow(new Error('No cookie handler provided!'))
    expect(() => enable({} as Server, store)).toThrow(new Error('Not a valid socket!'))
    expect(() => enable(socket, undefined as never)).toThrow(new Error('No session store provided!'))
    expect(() => enable(socket, store, { matchCookie: true })).toThrow(new Error('No cookie handler provided!'))
  })

  test('F: per_message of a later enable does not change an earlier one', async () => {
    const [first, second] = [
      await start(generations['0.4']),
      await start((app) => enable(app.io, app.store, perMessage)),
    ]
    const { args } = await joinSession(first, idOf(await first.login()))
    expect(args).toHaveLength(2)
    expect((await joinSession(second, idOf(await second.login()))).args).toHaveLength(1)
  })
})

describe('what clients send', () => {
  test('F, critical: smessage, sconnection and sinvalid of a client reach no handler', async () => {
    const app = await start(perMessage)
    const { client, socket } = await joinSession(app, idOf(await app.login()))
    const names = ['smessage', 'sconnection', 'sinvalid']
    const calls = names.flatMap((name) => [record(app.manager, name), record(socket, name)])
    for (const name of names) client.emit(name, 'hello', { admin: true })
    await settled(client, socket)
    expect(calls).toEqual(names.flatMap(() => [[], []]))
  })

  test.each([raw, perMessage])('F: no payload ends the process, with %o', async (options) => {
    const app = await start(options)
    const id = idOf(await app.login())
    const { client } = await join(app)
    const odd = [
      undefined,
      null,
      0,
      '',
      'text',
      [],
      {},
      { __sid: {} },
      Buffer.from('x'),
      JSON.parse('{"__proto__":{"__sid":1}}'),
    ]
    for (const payload of odd) {
      client.emit('connect_with_session', payload)
      client.send(payload)
      client.send({ __sid: payload, connect: 1 })
    }
    client.emit('connect_with_session')
    client.send()
    expect((await joinSession(app, id)).args).toBeTruthy()
  })

  const wrong: unknown[] = [7, true, {}, [], { toString: 1 }, 'x'.repeat(5_000), '__proto__', 's:', 's:a.b']
  test.each(wrong.map((sid) => ({ sid })))(
    'F: __sid must be a string that proves a session: $sid is not',
    async ({ sid }) => {
      const app = await start(raw)
      const { client, socket } = await join(app)
      const invalid = once(app.manager, 'sinvalid')
      byEvent(client, sid)
      expect(await invalid).toEqual([socket])
    },
  )

  test('F: key documents of zappajs and its sessions of mere sockets are no sessions', async () => {
    const app = await start(raw)
    app.store.set('key', { id: 'victim', cookie: {} } as never)
    app.store.set('socket', { cookie: { __io: true } } as never)
    const { client } = await join(app)
    for (const id of ['key', 'socket']) {
      const invalid = once(app.manager, 'sinvalid')
      byEvent(client, id)
      await invalid
    }
  })

  test('F: s:<sid>.<sig> is accepted with a secret, another signature is not', async () => {
    const app = await start()
    const id = idOf(await app.login('ann'))
    expect((await joinSession(app, `s:${sign(id, secret)}`)).args[1]).toMatchObject({ user: 'ann' })
    const { client } = await join(app)
    const invalid = once(app.manager, 'sinvalid')
    byEvent(client, `s:${sign(id, 'another secret')}`)
    await invalid
  })

  test('O: a bare id is refused since 0.5, and accepted with rawSid', async () => {
    const [app, old] = [await start(), await start(raw)]
    const { client } = await join(app)
    const invalid = once(app.manager, 'sinvalid')
    byEvent(client, idOf(await app.login()))
    await invalid
    expect((await joinSession(old, idOf(await old.login('ann')))).args[1]).toMatchObject({ user: 'ann' })
  })

  test('O: with matchCookie __sid must be the session of the handshake’s own cookie', async () => {
    const app = await start((app) => enable(app.io, app.store, { secret, matchCookie: true }))
    const [ann, bob] = [await app.login('ann'), await app.login('bob')]
    for (const cookie of [bob, undefined, ann.replace(/.$/, '~')]) {
      const { client } = await join(app, cookie)
      const invalid = once(app.manager, 'sinvalid')
      byMessage(client, idOf(ann))
      await invalid
    }
    const { client } = await join(app, ann)
    const connected = once(app.manager, 'sconnection')
    byMessage(client, idOf(ann))
    expect((await connected)[1]).toMatchObject({ user: 'ann' })
  })

  test('a token is good for one handshake; the session is named nowhere in it', async () => {
    const app = await start()
    const cookie = await app.login('ann')
    const token = await connectSid(app, cookie)
    expect(Buffer.from(token, 'base64url').toString('latin1') + token).not.toContain(idOf(cookie))
    expect((await joinSession(app, token)).args[1]).toMatchObject({ user: 'ann' })
    const { client } = await join(app)
    const invalid = once(app.manager, 'sinvalid')
    byEvent(client, token)
    await invalid
  })

  test('without a secret tokens work within the process', async () => {
    const app = await start({ cutter: ({ headers }: { headers: { cookie: string } }) => idOf(headers.cookie) })
    const token = await connectSid(app, await app.login('ann'))
    expect((await joinSession(app, token)).args[1]).toMatchObject({ user: 'ann' })
  })
})

describe('strangers', () => {
  test('are no warning', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warned.mockRestore())
    const app = await start(raw)
    const { client } = await join(app)
    const invalid = once(app.manager, 'sinvalid')
    byEvent(client, 'nobody')
    await invalid
    expect(warned).not.toHaveBeenCalled()
  })

  test('with an id that is endless cost no read of the store', async () => {
    const app = await start(raw)
    const { client } = await join(app)
    const invalid = once(app.manager, 'sinvalid')
    app.store.reset()
    byEvent(client, 'x'.repeat(5_000))
    await invalid
    expect(app.store.calls.get).toBe(0)
  })

  test('who send a message before any handshake are not told of', async () => {
    const app = await start(perMessage)
    const invalid = record(app.manager, 'sinvalid')
    const { client, socket } = await join(app)
    client.send('hello')
    await settled(client, socket)
    for (let turn = 0; turn < 20; turn++) await setImmediate()
    expect(invalid).toEqual([])
  })
})

test('only the two handshakes are ones: no other event, and no message without connect', async () => {
  const app = await start(raw)
  const id = idOf(await app.login())
  const { client, socket } = await join(app)
  const calls = [record(app.manager, 'sconnection'), record(app.manager, 'sinvalid')]
  const asked = app.store.next('get')
  client.emit('other', { __sid: id, connect: 1 })
  client.send({ __sid: id })
  client.emit('connect_with_session', { connect: 1 })
  await settled(client, socket)
  byEvent(client, 'the first that is looked up')
  await asked
  expect(app.store.calls.get).toBe(1)
  expect(calls).toEqual([[], []])
})

describe('a repeated handshake', () => {
  test('F: of the same session changes nothing; sconnection once, each message once, the handshake never a smessage', async () => {
    const app = await start(perMessage)
    const cookie = await app.login('ann')
    const connected = record(app.manager, 'sconnection')
    const { client, socket } = await joinSession(app, idOf(cookie))
    const messages = record(socket, 'smessage')
    byMessage(client, idOf(cookie))
    byEvent(client, `s:${sign(idOf(cookie), secret)}`)
    const heard = once(socket as never, 'smessage')
    client.send('hello')
    await heard
    await settled(client, socket)
    expect(connected).toHaveLength(1)
    expect(messages).toEqual([['hello', expect.objectContaining({ user: 'ann' })]])
  })

  test('F: of another session takes its place, per message', async () => {
    const app = await start(perMessage)
    const { client, socket } = await joinSession(app, idOf(await app.login('ann')))
    const messages = record(socket, 'smessage')
    byMessage(client, idOf(await app.login('bob')))
    const heard = once(socket as never, 'smessage')
    client.send('hello')
    await heard
    expect(messages).toEqual([['hello', expect.objectContaining({ user: 'bob' })]])
  })

  test('F: per connection the same one is a sconnection once; another one is saved first, then replaced', async () => {
    const app = await start(raw)
    const [ann, bob] = [idOf(await app.login('ann')), idOf(await app.login('bob'))]
    const { client, args } = await joinSession(app, ann)
    args[1]['seen'] = true
    const calls = record(app.manager, 'sconnection')
    const replaced = once(app.manager, 'sconnection')
    byEvent(client, ann)
    byEvent(client, bob)
    await replaced
    expect(calls).toEqual([[expect.anything(), expect.objectContaining({ user: 'bob' })]])
    expect(await read(app.store, ann)).toMatchObject({ seen: true })
  })
})

describe('per message', () => {
  test('1 000 smessage of two clients count to 1 000, and a key that HTTP changed meanwhile survives', async () => {
    const app = await start(perMessage)
    const cookie = await app.login('ann')
    const id = idOf(cookie)
    const half = counter()
    app.manager.on('sconnection', (client) =>
      client.on('smessage', async (message: string, session: Session) => {
        if (message !== 'up') return
        const count = Number(session['count'] ?? 0)
        await setImmediate()
        session['count'] = count + 1
        half.up()
      }),
    )
    const [one, other] = [await joinSession(app, id), await joinSession(app, id)]
    for (let sent = 0; sent < 500; sent++) for (const { client } of [one, other]) client.send('up')
    await half.reaches(300)
    await app.get('/set/color/red', cookie)
    await half.reaches(1_000)
    await lastWrite(one)
    expect(await read(app.store, id)).toMatchObject({ count: 1_000, color: 'red', user: 'ann' })
  })

  test('a session that HTTP destroys meanwhile stays destroyed, and the app can tell the client by sinvalid', async () => {
    const app = await start(perMessage)
    const cookie = await app.login()
    app.manager.on('sinvalid', (client) => client.send('please log in'))
    app.manager.on('sconnection', (client) =>
      client.on('smessage', async (_: string, session: Session) => {
        await app.get('/logout', cookie)
        session['late'] = true
      }),
    )
    const { client } = await joinSession(app, idOf(cookie))
    for (const _ of ['in flight', 'afterwards']) {
      const told = next(client, 'message')
      client.send('hello')
      expect(await told).toBe('please log in')
      expect(await read(app.store, idOf(cookie))).toBeUndefined()
    }
  })

  test('promises of listeners are awaited before the save; a rejection is told, and saves nothing', async () => {
    const onError = vi.fn()
    const app = await start({ ...perMessage, onError })
    const id = idOf(await app.login())
    const { client, socket } = await joinSession(app, id)
    socket.on(
      'smessage' as never,
      (async (message: string, session: Session) => {
        await setImmediate()
        session[message] = true
        if (message === 'bad') throw new Error('of the app')
      }) as never,
    )
    for (const message of ['good', 'bad', 'better']) client.send(message)
    await lastWrite({ client, socket })
    const record = await read(app.store, id)
    expect(record).toMatchObject({ good: true, better: true })
    expect(record).not.toHaveProperty('bad')
    expect(onError.mock.calls).toEqual([[new Error('of the app')]])
  })

  test('by default a listener that throws is a warning, not the end of the process', async () => {
    const app = await start(perMessage)
    const { client, socket } = await joinSession(app, idOf(await app.login()))
    socket.on(
      'smessage' as never,
      (() => {
        throw new Error('of the app')
      }) as never,
    )
    const warning = once(process, 'warning')
    client.send('hello')
    expect(await warning).toEqual([new Error('of the app')])
  })

  test('onError may itself throw', async () => {
    const onError = vi.fn(() => {
      throw new Error('of onError')
    })
    const app = await start({ ...perMessage, onError })
    const { client } = await joinSession(app, 'nobody’s')
    for (const count of [1, 2]) {
      const invalid = once(app.manager, 'sinvalid')
      client.send('hello')
      await invalid
      expect(onError).toHaveBeenCalledTimes(count)
    }
  })

  test('a store that is back is used again', async () => {
    const app = await start(perMessage)
    const id = idOf(await app.login())
    const { sessions } = app.store as unknown as { sessions: Record<string, string | undefined> }
    const kept = sessions[id]
    sessions[id] = '{'
    const { client, socket } = await joinSession(app, id)
    const invalid = once(app.manager, 'sinvalid')
    client.send('hello')
    await invalid
    sessions[id] = kept
    const heard = once(socket as never, 'smessage')
    client.send('hello')
    await heard
  })
})

describe('per connection', () => {
  test('F: the save writes only what changed, onto what is there, and nothing if nothing did', async () => {
    const app = await start(raw)
    const id = idOf(await app.login('ann'))
    const { client, socket, args } = await joinSession(app, id)
    args[1]['pings'] = 1
    await write(otherProgram(app.store), id, 'color', 'red')
    const saved = app.store.next('set')
    await leave(client, socket)
    await saved
    expect(await read(app.store, id)).toMatchObject({ user: 'ann', pings: 1, color: 'red' })
    const idle = await joinSession(app, id)
    app.store.reset()
    await leave(idle.client, idle.socket)
    await joinSession(app, id)
    expect(app.store.calls.set).toBe(0)
  })

  test('F: a session destroyed meanwhile is never written again: by another program, or by HTTP', async () => {
    const app = await start(raw)
    const cookie = await app.login()
    const id = idOf(cookie)
    const { client, socket, args } = await joinSession(app, id)
    args[1]['pings'] = 1
    otherProgram(app.store).destroy(id)
    await leave(client, socket)
    await joinSession(app, idOf(await app.login()))
    expect(await read(app.store, id)).toBeUndefined()
  })

  test('when HTTP destroys the session, sinvalid, and the connection closes', async () => {
    const app = await start(raw)
    const cookie = await app.login()
    app.manager.on('sinvalid', (client) => client.send('please log in'))
    const { client } = await joinSession(app, idOf(cookie))
    const [told, closed] = [next(client, 'message'), next(client, 'disconnect')]
    await app.get('/logout', cookie)
    expect(await told).toBe('please log in')
    expect(await closed).toBe('transport close')
    expect(await read(app.store, idOf(cookie))).toBeUndefined()
  })

  test('a session that is over is not saved when its client leaves: no failure is told', async () => {
    const onError = vi.fn()
    const app = await start({ ...raw, onError })
    const cookie = await app.login()
    const { socket, args } = await joinSession(app, idOf(cookie))
    const left = once(socket as never, 'disconnect')
    args[1]['left'] = true
    await app.get('/logout', cookie)
    await left
    for (let turn = 0; turn < 20; turn++) await setImmediate()
    expect(onError).not.toHaveBeenCalled()
  })

  test('it is let go of when its client has left', async () => {
    const app = await start(raw)
    const registry = SessionRegistry.join(app.store)
    onTestFinished(() => registry.leave())
    const id = idOf(await app.login())
    const { client, socket } = await joinSession(app, id)
    expect(registry.at(id).isHeld).toBe(true)
    await leave(client, socket)
    for (let turn = 0; turn < 20; turn++) await setImmediate()
    expect(registry.at(id).isHeld).toBe(false)
  })

  test('the promise of a disconnect listener is awaited before the save', async () => {
    const app = await start(raw)
    const id = idOf(await app.login())
    const { client, socket, args } = await joinSession(app, id)
    socket.on('disconnect', async () => {
      for (let turn = 0; turn < 10; turn++) await setImmediate()
      args[1]['left'] = true
    })
    const saved = app.store.next('set')
    await leave(client, socket)
    await saved
    expect(await read(app.store, id)).toMatchObject({ left: true })
  })

  test('the promise of a sconnection listener is awaited before the save', async () => {
    const app = await start(raw)
    const id = idOf(await app.login())
    app.manager.on('sconnection', async (client, session: Session) => {
      session['joined'] = 'not yet'
      await once(client, 'disconnect')
      for (let turn = 0; turn < 10; turn++) await setImmediate()
      session['joined'] = true
    })
    const { client, socket } = await joinSession(app, id)
    const saved = app.store.next('set')
    await leave(client, socket)
    await saved
    expect(await read(app.store, id)).toMatchObject({ joined: true })
  })

  test('F: what is sent before the store answered reaches the listeners of sconnection, in its order', async () => {
    const app = await start(raw)
    const id = idOf(await app.login())
    const came = new Promise<unknown[]>((done) => {
      const messages: unknown[] = []
      app.manager.on('sconnection', (client) =>
        client.on('message', (message: unknown) => messages.push(message) === 3 && done(messages)),
      )
    })
    const { client, socket } = await join(app)
    const answer = app.store.holdReads()
    byEvent(client, id)
    const arrived = new Promise((done) =>
      socket.conn.on('packet', ({ data }) => String(data).includes('second') && done(data)),
    )
    client.send('first')
    client.send('second')
    await arrived
    answer()
    await once(app.manager, 'sconnection')
    client.send('third')
    expect(await came).toEqual(['first', 'second', 'third'])
  })

  test('F: a client that left before the store answered is no sconnection', async () => {
    const app = await start(raw)
    const id = idOf(await app.login())
    const calls = [record(app.manager, 'sconnection'), record(app.manager, 'sinvalid')]
    const { client, socket } = await join(app)
    const answer = app.store.holdReads()
    const asked = app.store.next('get')
    byEvent(client, id)
    await asked
    await leave(client, socket)
    answer()
    await joinSession(app, idOf(await app.login('bob')))
    expect(calls).toEqual([[[expect.anything(), expect.objectContaining({ user: 'bob' })]], []])
  })
})

/**
 * Resolves when all smessage sent before are saved. Those that wait for each other are one write, so a listener that is called
 * only tells that the group before its own is written.
 */
async function lastWrite({ client, socket }: Awaited<ReturnType<typeof join>>): Promise<void> {
  const last = (message: string) =>
    new Promise<void>((done) => socket.on('smessage' as never, ((came: string) => came === message && done()) as never))
  for (const message of ['last of its group', 'of the next group']) {
    const came = last(message)
    client.send(message)
    await came
  }
}

async function leave(...[client, socket]: [{ disconnect(): void }, unknown]): Promise<void> {
  const left = once(socket as EventEmitter, 'disconnect')
  client.disconnect()
  await left
}

/** Counts, and tells when it has. */
function counter(): { up(): void; reaches(count: number): Promise<void> } {
  const events = new EventEmitter()
  let count = 0
  return {
    up: () => void events.emit(String(++count)),
    reaches: async (goal) => {
      if (count < goal) await once(events, String(goal))
    },
  }
}
