/** Any store as promises: each call becomes one answer or one error, in time; and what is an answer. `faults/` has the ways in. */
import type { SessionData } from 'express-session'
import type { AtomicStore } from 'handshake-session'
import { SessionStore } from 'handshake-session/internals'
import { describe, expect, onTestFinished, test, vi } from 'vitest'

type Methods = ConstructorParameters<typeof SessionStore>[0]
type Get = (id: string, callback: (error?: unknown, record?: unknown) => void) => unknown

const record = { user: 'ann', cookie: { originalMaxAge: null } } as SessionData
const over = { user: 'ann', cookie: { originalMaxAge: 1, expires: new Date(0) } } as SessionData
const failed = { name: 'SessionError', code: 'ERR_SESSION_STORE' }

function storeThat(get: Get, more: Partial<Methods> = {}, atomic?: AtomicStore): SessionStore {
  const methods = { get: get as Methods['get'], set: () => {}, destroy: () => {}, ...more }
  return new SessionStore(methods, atomic)
}

describe('a store that answers', () => {
  const rows: [string, unknown, Partial<Methods>, unknown][] = [
    ['a session', record, {}, record],
    ['nothing', undefined, {}, undefined],
    ['null', null, {}, undefined],
    ['a session that is over by its cookie', over, {}, undefined],
    ['such a one, and extends sessions by touch alone', over, { touch: () => {} }, over],
    ['a key document of zappajs', { id: 'of a session', cookie: {} }, { touch: () => {} }, undefined],
    ['a promise of a session', Promise.resolve(record), {}, record],
  ]
  test.each(rows)('%s', async (_what, answer, more, expected) => {
    const store = storeThat((_id, done) => done(null, answer), more)
    expect(await store.get('id')).toEqual(expected)
  })

  test.each([['a string'], [7], [{}], [{ user: 'ann' }], [{ cookie: null }]])('%j has failed', async (answer) => {
    await expect(storeThat((_id, done) => done(null, answer)).get('id')).rejects.toMatchObject(failed)
  })
})

function throwing(error: unknown): never {
  throw error
}

describe('a store that', () => {
  const down = new Error('down')
  const rows: [string, Get][] = [
    ['fails', (_id, done) => done(down)],
    ['fails, then answers', (_id, done) => [down, null].map((error) => done(error, record))],
    ['throws', () => JSON.parse('{')],
    ['rejects', () => Promise.reject(down)],
    ['rejects without an error', () => Promise.reject()],
    ['promises, and then fails', (_id, done) => done(null, Promise.reject(down))],
    ['promises, and then fails without an error', (_id, done) => done(null, Promise.reject())],
    ['throws nothing', () => throwing(undefined)],
    ['gives garbage after a while', (_id, done) => void setImmediate(() => done(null, 'garbage'))],
  ]
  test.each(rows)('%s', async (_what, get) => {
    await expect(storeThat(get).get('id')).rejects.toMatchObject(failed)
  })

  test('answers, then fails', async () => {
    const store = storeThat((_id, done) => [null, down].map((error) => done(error, record)))
    expect(await store.get('id')).toEqual(record)
  })

  test('keeps files, and has none for a session', async () => {
    const missing = Object.assign(new Error('no such file'), { code: 'ENOENT' })
    for (const answer of [undefined, record]) {
      expect(await storeThat((_id, done) => done(missing, answer)).get('id')).toBeUndefined()
    }
  })

  test('cannot inflate what it has', () => {
    const store = storeThat(() => {}, { createSession: () => JSON.parse('{') })
    const create = () => store.createSession({ sessionID: 'id', sessionStore: undefined }, record as never)
    expect(create).toThrow(expect.objectContaining(failed))
  })

  test.each([true, false])('compares and sets: %s', async (isWritten) => {
    const atomic = { getVersioned: async () => undefined, setVersioned: async () => isWritten }
    expect(await storeThat(() => {}, {}, atomic).replace('id', record as never, 1, () => {})).toBe(isWritten)
  })
})

describe('a call that waits', () => {
  /** A store whose `timeout` is 100 ms of a clock that goes on when it is told. */
  function slowStore() {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const answers: ((record: unknown) => void)[] = []
    const store = storeThat((_id, done) => answers.push((record) => done(null, record)))
    store.timeout = 100
    return { answers, read: () => store.get('id').catch(({ code }) => code) }
  }

  test('is given up in time, and whoever began later has that time as well', async () => {
    const { answers, read } = slowStore()
    const first = read()
    await vi.advanceTimersByTimeAsync(60)
    const [second, third] = [read(), read()]
    await vi.advanceTimersByTimeAsync(60)
    expect(await first).toBe('ERR_SESSION_TIMEOUT')
    answers[1]?.(record)
    expect(await second).toEqual(record)
    await vi.advanceTimersByTimeAsync(60)
    expect(await third).toBe('ERR_SESSION_TIMEOUT')
  })

  test('has a timer no longer than it waits', async () => {
    const { answers, read } = slowStore()
    const reads = [read(), read()]
    for (const answer of answers) answer(record)
    await Promise.all(reads)
    await vi.advanceTimersByTimeAsync(100)
    expect(vi.getTimerCount()).toBe(0)
  })

  test.each([undefined, new Error('down')])(
    'is told of an answer that comes when it was given up: %s',
    async (error) => {
      slowStore()
      const [answers, late] = [[] as ((error?: unknown) => void)[], vi.fn()]
      const store = storeThat(() => {}, { set: (_id, _session, done) => answers.push(done as () => void) })
      store.timeout = 100
      const write = () => store.replace('id', record as never, undefined, late).catch(({ code }) => code)
      const [writing, inTime] = [write(), write()]
      answers[1]?.()
      expect(await inTime).toBe(true)
      await vi.advanceTimersByTimeAsync(101)
      expect(await writing).toBe('ERR_SESSION_TIMEOUT')
      expect(late).not.toHaveBeenCalled()
      answers[0]?.(error)
      expect(late.mock.calls).toEqual([[error]])
    },
  )

  test('leaves nothing behind that refers to it, when it has its answer', async () => {
    const { answers, read } = slowStore()
    const kept = vi.spyOn(Set.prototype, 'add')
    const reading = read()
    const deadlines = kept.mock.calls.flatMap(([entry]) => (Object(entry).expire ? [entry] : []))
    kept.mockRestore()
    answers[0]?.(record)
    await reading
    expect(deadlines).toMatchObject([{ expire: undefined }])
  })

  test('keeps no process alive', () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = timers()
    storeThat(() => {})
      .get('id')
      .catch(() => {})
    expect(timers()).toBe(before)
  })
})
