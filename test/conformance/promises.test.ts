/**
 * What the README promises, one test for each promise, by its name; who knows only the README should be able to read them.
 * The details have files of their own, which each promise there names.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ask, connect, next, pair, startApp } from '../support/app.js'
import { CountingStore } from '../support/counting-store.js'
import { otherProgram } from '../support/other-program.js'

const promises: Record<string, () => Promise<void>> = {
  'The session before `connection`': async () => {
    const store = new CountingStore()
    const app = await startApp({ store })
    const users: (string | undefined)[] = []
    app.io.use(({ handshake }, next) => {
      users.push(handshake.session.user)
      next()
    })
    for (const name of ['/', '/chat', '/later']) {
      app.io.of(name).on('connection', ({ handshake }) => users.push(handshake.session.user))
    }
    const cookie = await app.login('ann')
    store.reset()
    const client = connect(app.url, cookie)
    const sockets = [client, client.io.socket('/chat'), client.io.socket('/later')]
    await Promise.all(sockets.map((socket) => next(socket.connect(), 'connect')))
    expect(users).toEqual(['ann', 'ann', 'ann', 'ann'])
    expect(store.calls.get).toBe(1)
  },

  'Nobody without a valid session': async () => {
    const told: string[] = []
    const app = await startApp({ onError: ({ message }) => told.push(message) })
    const cookie = await app.login()
    for (const [wrong, code] of [
      ['', 'ERR_SESSION_COOKIE_MISSING'],
      [cookie.replace('s%3A', 's%3Ax'), 'ERR_SESSION_SIGNATURE'],
    ] as const) {
      expect(await next(connect(app.url, wrong), 'connect_error')).toMatchObject({ data: { code } })
    }
    const extraHeaders = { cookie, origin: 'https://evil.example' }
    const refused = await next(connect(app.url, undefined, { extraHeaders }), 'connect_error')
    expect(refused).toMatchObject({ data: { code: 'ERR_SESSION_ORIGIN' } })
    expect(told.join('\n')).toMatch(/no cookie named connect.sid.*signed with none.*name it in the option `origins`/s)
  },

  'Always current': async () => {
    const app = await startApp()
    app.io.on('connection', (socket) => {
      socket.on('theme', (answer) => answer(socket.handshake.session['theme']))
    })
    const cookie = await app.login()
    const { client } = await pair(app, cookie)
    await app.get('/set/theme/dark', cookie)
    expect(await ask(client, 'theme')).toBe('dark')
  },

  'No lost write': async () => {
    const app = await startApp()
    const cookie = await app.login()
    const { socket } = await pair(app, cookie)
    socket.handshake.session['seen'] = true
    await app.get('/set/theme/dark', cookie)
    await new Promise((saved) => socket.handshake.session.save(saved))
    const count = () =>
      app.sessions.update(socket, (session) => {
        session.count = (session.count ?? 0) + 1
      })
    await Promise.all(Array.from({ length: 20 }, count))
    expect(await app.get('/session', cookie)).toMatchObject({ user: 'ann', theme: 'dark', seen: true, count: 20 })
  },

  'Over when it is over': async () => {
    const app = await startApp({ recheck: 20 })
    const endings: Record<string, (cookie: string, id: string) => unknown> = {
      logout: (cookie) => app.get('/logout', cookie),
      regenerate: (cookie) => app.get('/regenerate', cookie),
      revoke: (_cookie, id) => app.sessions.revoke(id),
      'deleted by another program': (_cookie, id) => otherProgram(app.store).destroy(id),
    }
    for (const end of Object.values(endings)) {
      const cookie = await app.login()
      const { client, socket } = await pair(app, cookie)
      const closed = next(client, 'disconnect')
      await end(cookie, socket.handshake.sessionID)
      await closed
      expect(await next(connect(app.url, cookie), 'connect_error')).toMatchObject({
        data: { code: 'ERR_SESSION_NOT_FOUND' },
      })
    }
  },
}

test.each(Object.entries(promises))('%s', (_promise, isKept) => isKept())

test('the README promises this, and nothing else', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const section = readme.slice(readme.indexOf('## What is promised'), readme.indexOf('## API'))
  expect([...section.matchAll(/^- \*\*(.*?)\*\*/gm)].map(([, promise]) => promise)).toEqual(Object.keys(promises))
})
