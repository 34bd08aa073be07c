/** What was changed in a session, and how it is carried over to a newer record: Git's rebase, per top-level key. */
import session from 'express-session'
import fc from 'fast-check'
import { WorkingCopy } from 'handshake-session/internals'
import { describe, expect, test } from 'vitest'

type Content = Record<string, unknown>

const sessionOf = (content: object) => ({ ...structuredClone(content), cookie: new session.Cookie() }) as never

/** A copy of a record with this content, and its session as what it is: an object with keys. */
function copyOf(content: object): { copy: WorkingCopy; now: Content } {
  const copy = new WorkingCopy(sessionOf(content))
  return { copy, now: copy.session as unknown as Content }
}

describe('the rebase, for any base, ours and theirs', () => {
  const content = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'toString', 'constructor'), fc.jsonValue(), {
    maxKeys: 5,
  })

  test('every key that one side only changed has that side’s value, and one that both changed has ours', () => {
    fc.assert(
      fc.property(content, content, content, (base, ours, theirs) => {
        const { copy, now } = copyOf(base)
        for (const key of Object.keys(base)) if (!Object.hasOwn(ours, key)) delete now[key]
        Object.assign(now, structuredClone(ours))
        const conflicts = copy.rebase(sessionOf(theirs))
        for (const key of new Set([base, ours, theirs].flatMap(Object.keys))) {
          const [b, o, t] = [base, ours, theirs].map((side) =>
            Object.hasOwn(side, key) ? JSON.stringify(side[key]) : undefined,
          )
          const expected = o === b ? t : o
          const actual = Object.hasOwn(now, key) ? JSON.stringify(now[key]) : undefined
          expect([key, actual]).toEqual([key, expected])
          expect(conflicts.includes(key)).toBe(o !== b && t !== b)
        }
        expect(copy.isChanged).toBe(JSON.stringify(now) !== JSON.stringify(sessionOf(theirs)))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a rebase', () => {
  test('of one key leaves the objects under the others as they are', () => {
    const { copy, now } = copyOf({ items: ['pen'], theme: 'light' })
    const { items } = now
    expect(copy.rebase(sessionOf({ items: ['pen'], theme: 'dark' }))).toEqual([])
    expect(now).toMatchObject({ theme: 'dark' })
    expect(now['items']).toBe(items)
  })

  test('deletes what they deleted, and takes no key that a session merely inherits', () => {
    const { copy, now } = copyOf({ toString: 1, theme: 'dark' })
    copy.rebase(sessionOf({}))
    expect(Object.keys(now)).toEqual(['cookie'])
  })

  test('names what both changed, if only to the same value', () => {
    const { copy, now } = copyOf({ count: 1, theme: 'light' })
    Object.assign(now, { count: 2, theme: 'dark' })
    expect(copy.rebase(sessionOf({ count: 2, theme: 'blue' }))).toEqual(['count', 'theme'])
    expect(now).toMatchObject({ count: 2, theme: 'dark' })
  })

  test('onto a record with __proto__ changes no prototype', () => {
    const { copy, now } = copyOf({ user: 'ann' })
    const prototype = Object.getPrototypeOf(now)
    copy.rebase(JSON.parse('{"user": "ann", "cookie": {}, "__proto__": {"isAdmin": true}}'))
    expect(Object.getPrototypeOf(now)).toBe(prototype)
    expect(now['isAdmin']).toBeUndefined()
  })
})

describe('what is written', () => {
  test.each<[string, Content, (now: Content) => void, Content, boolean]>([
    ['is the base', { a: 1 }, (now) => (now['a'] = 2), { a: 1 }, false],
    ['keeps what came in meanwhile under another key', { a: 1, b: 1 }, (now) => (now['a'] = 2), { a: 1, b: 2 }, false],
    [
      'is no change any more where something came in meanwhile under its key',
      { a: 1 },
      (now) => (now['a'] = 2),
      { a: 3 },
      false,
    ],
    ['may be that a key is gone', { a: 1, b: 1 }, (now) => delete now['a'], { a: 1, b: 2 }, false],
  ])('%s', (_what, content, change, meanwhile, isChanged) => {
    const { copy, now } = copyOf(content)
    change(now)
    const snapshot = copy.snapshot()
    copy.rebase(sessionOf(meanwhile))
    snapshot.end(true)
    expect(copy.isChanged).toBe(isChanged)
  })

  test('of one key by itself leaves the others unsaved', () => {
    const { copy, now } = copyOf({ count: 1 })
    copy.session.cookie.maxAge = 5_000
    copy.settle('cookie')
    expect(copy.isChanged).toBe(false)
    now['count'] = 2
    copy.settle('cookie')
    expect(copy.isChanged).toBe(true)
  })
})

describe('what is applied to another copy', () => {
  test('is what was changed, the cookie apart, and counts as written when that is', () => {
    const [ours, draft] = [copyOf({ count: 1, theme: 'light' }), copyOf({ count: 1, theme: 'dark' })]
    ours.now['count'] = 2
    draft.copy.apply(ours.copy)
    expect(draft.now).toMatchObject({ count: 2, theme: 'dark' })
    expect(ours.copy.isChanged).toBe(true)
    draft.copy.snapshot().end(true)
    expect(ours.copy.isChanged).toBe(false)
  })

  test('is not the cookie, which is still to be saved then', () => {
    const [ours, draft] = [copyOf({ count: 1 }), copyOf({ count: 1 })]
    ours.copy.session.cookie.maxAge = 5_000
    ours.now['count'] = 2
    draft.copy.apply(ours.copy)
    expect(draft.copy.session.cookie.originalMaxAge).toBeNull()
    draft.copy.snapshot().end(true)
    expect(ours.copy.isChanged).toBe(true)
  })
})

describe('what a failed write may have left in the store', () => {
  /** A copy whose change of `a` from 1 to 2 may have been written. */
  function uncertain() {
    const both = copyOf({ a: 1, b: 1 })
    both.now['a'] = 2
    both.copy.snapshot().end(undefined)
    return both
  }

  test('is our own when it turns up: what is here by then is a change of it', () => {
    const { copy, now } = uncertain()
    now['a'] = 1
    expect(copy.isChanged).toBe(true)
    expect(copy.rebase(sessionOf({ a: 2, b: 1 }))).toEqual(['a'])
    expect(now).toMatchObject({ a: 1 })
  })

  test('gives way to what others write later, and then is settled', () => {
    const { copy, now } = uncertain()
    now['a'] = 1
    expect(copy.rebase(sessionOf({ a: 3, b: 1 }))).toEqual([])
    expect(now).toMatchObject({ a: 3 })
    expect(copy.isChanged).toBe(false)
  })

  test('is settled by a write that succeeds', () => {
    const { copy } = uncertain()
    copy.snapshot().end(true)
    expect(copy.isChanged).toBe(false)
  })

  test('is all that failed, not only the last', () => {
    const { copy, now } = uncertain()
    now['b'] = 2
    copy.rebase(sessionOf({ a: 1, b: 1, c: 1 }))
    now['a'] = 1
    copy.snapshot().end(undefined)
    now['b'] = 1
    expect(copy.rebase(sessionOf({ a: 2, b: 2, c: 1 }))).toEqual(['a', 'b'])
    expect(now).toMatchObject({ a: 1, b: 1 })
  })

  test('is not the cookie, which each write renews, and nothing where nothing was changed', () => {
    const { copy } = copyOf({ a: 1 })
    copy.snapshot().end(undefined)
    expect(copy.isChanged).toBe(false)
    copy.session.cookie.maxAge = 5_000
    copy.snapshot().end(undefined)
    copy.settle('cookie')
    expect(copy.isChanged).toBe(false)
  })

  test('is known to whom it was applied from', () => {
    const [ours, draft] = [copyOf({ a: 1 }), copyOf({ a: 1 })]
    ours.now['a'] = 2
    draft.copy.apply(ours.copy)
    draft.copy.snapshot().end(undefined)
    ours.now['a'] = 1
    expect(ours.copy.isChanged).toBe(true)
  })
})

describe('what is on its way to the store', () => {
  /** A copy whose change of `a` from 1 to 2 is being written. */
  function underWay() {
    const both = copyOf({ a: 1, b: 1 })
    both.now['a'] = 2
    return { ...both, snapshot: both.copy.snapshot() }
  }

  test('is our own when it turns up: what is here by then is a change of it', () => {
    const { copy, now, snapshot } = underWay()
    now['a'] = 1
    expect(copy.rebase(sessionOf({ a: 2, b: 1 }))).toEqual(['a'])
    snapshot.end(true)
    expect(now).toMatchObject({ a: 1 })
    expect(copy.isChanged).toBe(true)
  })

  test.each([
    ['also back to what it was', { a: 1, b: 1 }],
    ['and wrote more', { a: 1, b: 2 }],
  ])('is no change of ours once somebody has written over it, %s', (_what, newest) => {
    const { copy, now, snapshot } = underWay()
    copy.rebase(sessionOf({ a: 2, b: 1 }))
    copy.rebase(sessionOf(newest))
    expect(now).toMatchObject(newest)
    snapshot.end(true)
    expect(copy.isChanged).toBe(false)
  })

  test('is forgotten where the store refused it', () => {
    const { copy, now, snapshot } = underWay()
    snapshot.end(false)
    now['a'] = 1
    expect(copy.isChanged).toBe(false)
    copy.rebase(sessionOf({ a: 2, b: 1 }))
    expect(now).toMatchObject({ a: 2 })
  })
})

describe('what a save that waits is to write', () => {
  /** A copy whose change of `a` from 1 to 2 is to be saved, and which others have made, too. */
  function claimed() {
    const both = copyOf({ a: 1, b: 1 })
    both.now['a'] = 2
    const release = both.copy.claim()
    expect(both.copy.rebase(sessionOf({ a: 2, b: 1 }))).toEqual(['a'])
    return { ...both, release }
  }

  test('stays a change of ours, also when theirs is taken back', () => {
    const { copy, now } = claimed()
    expect(copy.isChanged).toBe(true)
    expect(copy.rebase(sessionOf({ a: 1, b: 1 }))).toEqual(['a'])
    expect(now).toMatchObject({ a: 2 })
  })

  test('is none any more once it is written', () => {
    const { copy, now } = claimed()
    copy.snapshot().end(true)
    expect(copy.isChanged).toBe(false)
    expect(copy.rebase(sessionOf({ a: 3, b: 1 }))).toEqual([])
    expect(now).toMatchObject({ a: 3 })
  })

  test('is one still when the store refused it', () => {
    const { copy, now } = claimed()
    copy.snapshot().end(false)
    expect(copy.rebase(sessionOf({ a: 3, b: 1 }))).toEqual(['a'])
    expect(now).toMatchObject({ a: 2 })
  })

  test('gives way, once it is written, to what others wrote over it meanwhile', () => {
    const { copy, now } = claimed()
    const snapshot = copy.snapshot()
    copy.rebase(sessionOf({ a: 3, b: 1 }))
    snapshot.end(true)
    copy.rebase(sessionOf({ a: 3, b: 1 }))
    expect(now).toMatchObject({ a: 3 })
  })

  test('is let go when the last save that waits is over', () => {
    const { copy, now, release } = claimed()
    const releaseNext = copy.claim()
    release()
    expect(copy.isChanged).toBe(true)
    releaseNext()
    expect(copy.isChanged).toBe(false)
    copy.rebase(sessionOf({ a: 3, b: 1 }))
    expect(now).toMatchObject({ a: 3 })
  })

  test('is not what a write on its way has written', () => {
    const { copy, now } = copyOf({ a: 1 })
    now['a'] = 2
    const snapshot = copy.snapshot()
    copy.claim()
    copy.rebase(sessionOf({ a: 2 }))
    snapshot.end(true)
    copy.rebase(sessionOf({ a: 3 }))
    expect(now).toMatchObject({ a: 3 })
  })
})
