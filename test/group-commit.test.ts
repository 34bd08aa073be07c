/**
 * What `update`s cost on a store that can compare and set, in round trips: those that wait for each other are one write, and
 * what is known needs no read. What each one does to the session is the same as if it were alone.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { ExpressSession } from 'handshake-session'
import { Adapter } from 'socket.io-adapter'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type AppOptions, ask, hear, idOf, pair, startApp } from './support/app.js'
import { CountingStore } from './support/counting-store.js'
import { later } from './support/later.js'
import { otherProgram, read, write } from './support/other-program.js'
import { VersionedStore } from './support/versioned-store.js'

/** A session with a socket, freshly read; what was asked of the store is counted from here on. */
async function start({ store = new VersionedStore(), ...options }: AppOptions & { store?: VersionedStore } = {}) {
  const app = await startApp({ store, freshFor: 60_000, ...options })
  const cookie = await app.login()
  const id = idOf(cookie)
  const { client, socket } = await pair(app, cookie)
  store.reset()
  return {
    ...{ app, store, cookie, id, client, socket },
    update: <T>(change: (session: ExpressSession) => T | Promise<T>) => app.sessions.update(socket, change),
    stored: () => read(otherProgram(store), id),
    /** As a program does that tells nobody. */
    writeUnseen: (key: string, value: unknown) => write(otherProgram(store), id, key, value),
  }
}

function put(item: string): (session: ExpressSession) => string {
  return (session) => {
    session.items = [...(session.items ?? []), item]
    return item
  }
}

const numbers = Array.from({ length: 20 }, (_, index) => String(index))

/** Resolves when it is told to. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

describe('updates at once', () => {
  test('are two writes and no read: each is done once, in order, and answered', async () => {
    const { update, store, stored } = await start()
    expect(await Promise.all(numbers.map((item) => update(put(item))))).toEqual(numbers)
    expect(store.trips).toEqual({ reads: 0, writes: 2, refused: 0 })
    expect(await stored()).toMatchObject({ items: numbers })
  })

  test('of which some take time are the same', async () => {
    const { update, store, stored } = await start()
    const later = (item: string) => async (session: ExpressSession) => {
      await turn()
      return put(item)(session)
    }
    const changes = numbers.map((item, index) => (index % 3 ? later(item) : put(item)))
    expect(await Promise.all(changes.map(update))).toEqual(numbers)
    expect(store.trips).toEqual({ reads: 0, writes: 2, refused: 0 })
    expect(await stored()).toMatchObject({ items: numbers })
  })

  test('by id are a read and two writes', async () => {
    const { app, id, store, stored } = await start()
    later(60_001)
    await Promise.all(numbers.map((item) => app.sessions.update(id, put(item))))
    expect(store.trips).toEqual({ reads: 1, writes: 2, refused: 0 })
    expect(await stored()).toMatchObject({ items: numbers })
  })

  test('leave no change unsaved in the session of the sockets', async () => {
    const { update, store, socket } = await start()
    await Promise.all(numbers.map((item) => update(put(item))))
    store.reset()
    await new Promise((saved) => socket.handshake.session.save(saved))
    expect(store.trips.writes).toBe(0)
    expect(socket.handshake.session).toMatchObject({ items: numbers })
  })

  test('write with them what a handler has changed, once', async () => {
    const { update, store, socket, stored } = await start()
    await update((session) => void Object.assign(session, { items: [], count: 0 })) // The order of keys is a change, too.
    store.reset()
    store.beforeWrite = () => {
      if (store.trips.writes === 1) socket.handshake.session.count = 1 // So that the group carries it, not the first.
    }
    await Promise.all(numbers.map((item) => update(put(item))))
    expect(await stored()).toMatchObject({ items: numbers, count: 1 })
    store.reset()
    await new Promise((saved) => socket.handshake.session.save(saved))
    expect(store.trips.writes).toBe(0)
  })

  test('leave what a handler has changed as uncertain as their write is', async () => {
    const { update, store, socket, stored } = await start()
    const { session } = socket.handshake
    await update((draft) => void Object.assign(draft, { items: [], count: 0 }))
    store.reset()
    store.beforeWrite = () => {
      if (store.trips.writes === 1) session.count = 1
    }
    store.afterWrite = () => {
      if (store.trips.writes === 2) throw new Error('connection reset')
    }
    const outcomes = await Promise.allSettled(numbers.map((item) => update(put(item))))
    expect(outcomes.map(({ status }) => status).slice(0, 3)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(await stored()).toMatchObject({ count: 1 })
    session.count = 0
    expect(await new Promise((saved) => session.save(saved))).toBeNull()
    expect(await stored()).toMatchObject({ count: 0 })
  })

  test('of which one throws and one rejects leave nothing of those, and write the others', async () => {
    const { update, store, stored } = await start()
    const outcomes = await Promise.allSettled([
      update(put('a')),
      update(put('b')),
      update((session) => {
        session.items?.push('thrown')
        throw new Error('thrown')
      }),
      update(async (session) => {
        session.items?.push('rejected')
        await turn()
        session.user = 'rejected'
        throw new Error('rejected')
      }),
      update(put('c')),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ])
    expect(outcomes.slice(2, 4)).toMatchObject([{ reason: { message: 'thrown' } }, { reason: { message: 'rejected' } }])
    expect(await stored()).toMatchObject({ user: 'ann', items: ['a', 'b', 'c'] })
    expect(store.trips).toEqual({ reads: 0, writes: 2, refused: 0 })
  })

  test('of which all fail write nothing', async () => {
    const { update, store } = await start()
    const fails = (session: ExpressSession) => {
      session.user = 'thrown'
      throw new Error('thrown')
    }
    const outcomes = await Promise.allSettled([update(put('a')), update(fails), update(fails)])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(store.trips).toMatchObject({ writes: 1, refused: 0 })
  })

  test('leave nothing of what one does after it rejected', async () => {
    const { update, stored } = await start()
    const rejected = gate()
    const done = Promise.allSettled([
      update(put('a')),
      update(async (session) => {
        rejected.opened.then(() => session.items?.push('too late'))
        throw new Error('rejected')
      }),
      update(async (session) => {
        rejected.open()
        await turn()
        return put('b')(session)
      }),
    ])
    expect((await done).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await stored()).toMatchObject({ items: ['a', 'b'] })
  })

  test('run again, all of them, when another program was quicker', async () => {
    const { update, store, stored, writeUnseen } = await start()
    const runs = [0, 0, 0, 0]
    const counted = (index: number) => (session: ExpressSession) => {
      runs[index] = (runs[index] ?? 0) + 1
      return put(`${index}`)(session)
    }
    store.beforeWrite = async () => {
      if (store.trips.writes === 2) await writeUnseen('items', ['theirs'])
    }
    await Promise.all([0, 1, 2, 3].map((index) => update(counted(index))))
    expect(runs).toEqual([1, 2, 2, 2])
    expect(await stored()).toMatchObject({ items: ['theirs', '1', '2', '3'] })
    expect(store.trips).toEqual({ reads: 1, writes: 3, refused: 1 })
  })

  test('that come while a group is written are a group of their own', async () => {
    const { update, store, stored } = await start()
    const late: Promise<unknown>[] = []
    store.afterWrite = () => {
      if (store.trips.writes === 2) late.push(update(put('x')), update(put('y')))
    }
    await Promise.all(numbers.map((item) => update(put(item))))
    await Promise.all(late)
    expect(store.trips).toEqual({ reads: 0, writes: 3, refused: 0 })
    expect(await stored()).toMatchObject({ items: [...numbers, 'x', 'y'] })
  })

  test('all fail when the store does, and the next ones do not', async () => {
    const { update, store, stored } = await start()
    store.beforeWrite = () => {
      if (store.trips.writes === 2) throw new Error('down')
    }
    const outcomes = await Promise.allSettled([0, 1, 2].map((index) => update(put(`${index}`))))
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { reason: { code: 'ERR_SESSION_STORE' } },
      { reason: { code: 'ERR_SESSION_STORE' } },
    ])
    await update(put('next'))
    expect(await stored()).toMatchObject({ items: ['0', 'next'] })
  })
})

describe.each<[string, (session: ExpressSession) => unknown]>([
  ['is beyond JSON', (session) => Object.assign(session, { big: 1n })],
  ['is beyond JSON, and takes time', async (session) => Object.assign(session, { big: await turn(1n) })],
  ['refers to itself', (session) => Object.assign(session, { self: session })],
  ['has lost its cookie', (session) => Object.assign(session, { cookie: undefined })],
  ['has something else for a cookie', (session) => Object.assign(session, { cookie: 'none' })],
])('an update whose session %s', (_what, change) => {
  test.each([
    ['in the middle', [put('b'), change, put('c')], ['a', 'b', 'c']],
    ['at the end', [put('b'), change], ['a', 'b']],
  ])('fails alone, %s of its group', async (_where, changes, items) => {
    const { update, stored } = await start()
    const outcomes = await Promise.allSettled([put('a'), ...changes].map(update))
    expect(outcomes.map(({ status }) => status === 'rejected')).toEqual([
      false,
      ...changes.map((each) => each === change),
    ])
    expect(await stored()).toMatchObject({ user: 'ann', items })
  })
})

describe('one update', () => {
  test('of a session that is fresh is one write and no read', async () => {
    const { update, store, stored } = await start()
    for (const item of ['a', 'b', 'c']) await update(put(item))
    expect(store.trips).toEqual({ reads: 0, writes: 3, refused: 0 })
    expect(await stored()).toMatchObject({ items: ['a', 'b', 'c'] })
  })

  test('on a store that cannot compare and set is a read and a write, however fresh the session is', async () => {
    const store = new CountingStore()
    const app = await startApp({ store, freshFor: 60_000 })
    const { socket } = await pair(app, await app.login())
    for (const item of ['a', 'b']) {
      store.reset()
      await app.sessions.update(socket, put(item))
      expect(store.calls).toMatchObject({ get: 1, set: 1 })
    }
  })

  test('of a session that is no longer fresh is a read and a write', async () => {
    const { update, store } = await start()
    later(60_001)
    await update(put('a'))
    expect(store.trips).toEqual({ reads: 1, writes: 1, refused: 0 })
  })

  test('of a session that another node has written is a read and a write', async () => {
    const { app, id, update, store, stored, writeUnseen } = await start({ recheck: 1_000_000 })
    await writeUnseen('items', ['theirs'])
    hear(app, { changed: [app.sessions.room(id)] })
    await update(put('ours'))
    expect(store.trips).toEqual({ reads: 1, writes: 1, refused: 0 })
    expect(await stored()).toMatchObject({ items: ['theirs', 'ours'] })
  })

  test('that another program overtook costs a read and a write more', async () => {
    const { update, store, stored, writeUnseen } = await start()
    await writeUnseen('items', ['theirs'])
    await update(put('ours'))
    expect(store.trips).toEqual({ reads: 1, writes: 2, refused: 1 })
    expect(await stored()).toMatchObject({ items: ['theirs', 'ours'] })
  })

  test.each([
    ['changes nothing', (session: ExpressSession) => session['theme']],
    ['changes nothing, and takes time,', (session: ExpressSession) => turn(session['theme'])],
  ])('that %s has seen what the store has', async (_what, change) => {
    const { update, store, writeUnseen } = await start()
    await writeUnseen('theme', 'dark')
    expect(await update(change)).toBe('dark')
    expect(store.trips).toEqual({ reads: 1, writes: 0, refused: 0 })
  })

  test.each([
    ['throws', (theme: unknown) => Promise.reject(new Error(String(theme)))],
    [
      'rejects',
      (theme: unknown) => {
        throw new Error(String(theme))
      },
    ],
  ])('that %s has seen what the store has', async (_what, fail) => {
    const { update, store, writeUnseen } = await start()
    await writeUnseen('theme', 'dark')
    await expect(update((session) => fail(session['theme']))).rejects.toThrow('dark')
    expect(store.trips).toEqual({ reads: 1, writes: 0, refused: 0 })
  })

  test('after an HTTP request that saved needs no read', async () => {
    const { app, cookie, update, store, stored } = await start()
    await app.get('/set/theme/dark', cookie)
    store.reset()
    await update(put('a'))
    expect(store.trips).toEqual({ reads: 0, writes: 1, refused: 0 })
    expect(await stored()).toMatchObject({ theme: 'dark', items: ['a'] })
  })

  test.each([
    ['is wrong', () => 'wrong', { reads: 1, writes: 2, refused: 1 }],
    ['is not known', () => undefined, { reads: 1, writes: 1, refused: 0 }],
    [
      'cannot be told',
      () => {
        throw new Error('no version')
      },
      { reads: 1, writes: 1, refused: 0 },
    ],
  ])('after one whose version %s loses nothing', async (_what, versionOf, trips) => {
    const store = new VersionedStore()
    store.versionOf = versionOf
    const { update, stored } = await start({ store })
    await update(put('a'))
    store.reset()
    await update(put('b'))
    expect(store.trips).toEqual(trips)
    expect(await stored()).toMatchObject({ items: ['a', 'b'] })
  })

  test('takes as long as it likes where no other waits for it', async () => {
    const { update, stored } = await start({ timeout: 1_000 })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const [begun, go] = [gate(), gate()]
    const updating = update(async (session) => {
      begun.open()
      await go.opened
      return put('a')(session)
    })
    await begun.opened
    vi.advanceTimersByTime(5_000)
    go.open()
    await updating
    expect(await stored()).toMatchObject({ items: ['a'] })
  })
})

describe('a save', () => {
  test('of a session that is fresh is one write and no read', async () => {
    const { socket, store, stored } = await start()
    socket.handshake.session.count = 1
    await new Promise((saved) => socket.handshake.session.save(saved))
    expect(store.trips).toEqual({ reads: 0, writes: 1, refused: 0 })
    expect(await stored()).toMatchObject({ user: 'ann', count: 1 })
  })

  test('that another program overtook costs a read and a write more', async () => {
    const { socket, store, stored, writeUnseen } = await start()
    await writeUnseen('theme', 'dark')
    socket.handshake.session.count = 1
    await new Promise((saved) => socket.handshake.session.save(saved))
    expect(store.trips).toEqual({ reads: 1, writes: 2, refused: 1 })
    expect(await stored()).toMatchObject({ theme: 'dark', count: 1 })
  })
})

describe('an update that takes too long', () => {
  /** One update is on its way; those that come now are a group. `pass` lets time go by. */
  async function startGroup() {
    const started = await start({ timeout: 1_000 })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    return { ...started, first: started.update(put('first')) }
  }

  test('is rejected while the others of its group go on, and does not run again', async () => {
    const { update, store, stored, first, writeUnseen } = await startGroup()
    const [begun, goOn] = [gate(), gate()]
    let runs = 0
    const stuck = update((session) => {
      runs++
      session.items?.push('stuck')
      begun.open()
      return new Promise(() => {})
    })
    const last = update(async (session) => {
      await goOn.opened
      return put('last')(session)
    })
    store.beforeWrite = async () => {
      if (store.trips.writes === 2) await writeUnseen('theme', 'dark')
    }
    await begun.opened
    vi.advanceTimersByTime(1_000)
    await expect(stuck).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' })
    goOn.open()
    await Promise.resolve()
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(10)
      expect(await stored()).toMatchObject({ theme: 'dark', items: ['first', 'last'] })
    })
    await Promise.all([first, last])
    expect(runs).toBe(1)
  })

  test('does not keep those who wait for its group from being written', async () => {
    const { update, stored, first } = await startGroup()
    const [begun, go, stuckBegun] = [gate(), gate(), gate()]
    const slow = update(async (session) => {
      begun.open()
      await go.opened
      return put('slow')(session)
    })
    const stuck = update(() => {
      stuckBegun.open()
      return new Promise(() => {})
    })
    const isGivenUp = expect(stuck).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' })
    await begun.opened
    const next = update(put('next group'))
    await Promise.resolve() // By then it waits.
    go.open()
    await stuckBegun.opened
    await vi.advanceTimersByTimeAsync(1_000)
    await Promise.all([first, slow, isGivenUp, next])
    expect(await stored()).toMatchObject({ items: ['first', 'slow', 'next group'] })
  })

  test('is none of several that each take less, and the next group waits for them', async () => {
    const { update, stored, first } = await startGroup()
    const slow = [1, 2, 3].map((n) => ({ n, begun: gate(), go: gate() }))
    const done = slow.map(({ n, begun, go }) =>
      update(async (session) => {
        begun.open()
        await go.opened
        return put(`${n}`)(session)
      }),
    )
    await slow[0]?.begun.opened
    const next = update(put('next group'))
    for (const { begun, go } of slow) {
      await begun.opened
      vi.advanceTimersByTime(700)
      go.open()
    }
    await Promise.all([first, ...done, next])
    expect(await stored()).toMatchObject({ items: ['first', '1', '2', '3', 'next group'] })
  })

  test('is not one that is written for long', async () => {
    const { update, store, stored, first } = await startGroup()
    await first
    const [begun, go, writing, written] = [gate(), gate(), gate(), gate()]
    const slow = update(async (session) => {
      begun.open()
      await go.opened
      return put('slow')(session)
    })
    await begun.opened
    const next = update(put('next group'))
    store.beforeWrite = () => {
      writing.open()
      return written.opened
    }
    await vi.advanceTimersByTimeAsync(700)
    go.open()
    await writing.opened
    await vi.advanceTimersByTimeAsync(700)
    written.open()
    await Promise.all([slow, next])
    expect(await stored()).toMatchObject({ items: ['first', 'slow', 'next group'] })
  })

  test('alone keeps the next group only for so long, and those who come then are written', async () => {
    const { update, stored, first } = await startGroup()
    await first
    const [begun, go] = [gate(), gate()]
    const slow = update(async (session) => {
      begun.open()
      await go.opened
      return put('slow')(session)
    })
    await begun.opened
    const given = [update(put('x')), update(put('y'))].map((each) =>
      expect(each).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' }),
    )
    await vi.advanceTimersByTimeAsync(1_000)
    await Promise.all(given)
    const next = update(put('next'))
    go.open()
    await Promise.all([slow, next])
    expect(await stored()).toMatchObject({ items: ['first', 'slow', 'next'] })
  })
})

describe('a write that is answered when its object has ended, and the session has survived that', () => {
  /** An update is on its way while a destroy fails; then there is a new object of the session, which has read it before. */
  async function startSurvived(options: Pick<AppOptions, 'io'> = {}) {
    class Undestroyable extends VersionedStore {
      destroyFails = false
      override destroy(id: string, done?: (error?: unknown) => void): void {
        if (this.destroyFails) done?.(new Error('down'))
        else super.destroy(id, done)
      }
    }
    const store = new Undestroyable()
    const started = await start({ store, ...options })
    const { app, cookie, id, update } = started
    const [writing, written] = [gate(), gate()]
    store.beforeWrite = () => {
      writing.open()
      return written.opened
    }
    const updating = update(put('late')).catch(() => {})
    await writing.opened
    store.beforeWrite = () => {}
    store.destroyFails = true
    await expect(app.sessions.revoke(id)).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
    store.destroyFails = false
    const { client, socket } = await pair(app, cookie)
    expect(socket.handshake.session.items).toBeUndefined()
    written.open()
    await updating
    return { ...started, client, socket }
  }

  test('is in the session before the next handler runs', async () => {
    const { client, socket } = await startSurvived()
    socket.on('read', (answer) => answer(socket.handshake.session.items))
    expect(await ask(client, 'read')).toEqual(['late'])
  })

  test('is destroyed again when another node tells that it has destroyed it before', async () => {
    const { app, id, stored } = await startSurvived({ io: { adapter: OtherNodes as never } })
    hear(app, { ended: [[app.sessions.room(id), 'destroyed']] })
    await vi.waitFor(async () => expect(await stored()).toBeUndefined())
  })
})

test('the late answer of a write that was given up leaves the session to its socket', async () => {
  const { app, store, cookie, socket, update } = await start({ timeout: 50 })
  const late = gate()
  store.afterWrite = () => late.opened
  await expect(update(put('a'))).rejects.toMatchObject({ code: 'ERR_SESSION_TIMEOUT' })
  late.open()
  for (let turns = 0; turns < 5; turns++) await turn()
  await app.get('/set/theme/dark', cookie)
  expect(socket.handshake.session).toMatchObject({ theme: 'dark' })
})

test('a write that lands when its session was destroyed is not told to other nodes', async () => {
  const told: unknown[] = []
  class Listening extends Adapter {
    override serverSideEmit([, news]: unknown[]): void {
      told.push(news)
    }
  }
  const { app, store, id, update } = await start({ io: { adapter: Listening as never } })
  await turn()
  told.length = 0
  store.afterWrite = () => app.sessions.revoke(id)
  await expect(update(put('late'))).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' })
  await turn()
  await turn()
  expect(told).toEqual([{ ended: [[app.sessions.room(id), 'revoked']] }])
})

/** There are other nodes, who hear nothing. */
class OtherNodes extends Adapter {
  override serverSideEmit(): void {}
}
