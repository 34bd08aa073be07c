/** The bounds and the rules of a session cookie, each by itself; `fuzz/cookie.test.ts` has whatever else may come. */
import { createRequire } from 'node:module'
import { sign } from 'cookie-signature'
import { readCookie, Verifier } from 'handshake-session/internals'
import { describe, expect, onTestFinished, test, vi } from 'vitest'

const secret = 'keyboard cat'
const signed = (id: string, by = secret) => `s:${sign(id, by)}`
const missing = expect.objectContaining({ code: 'ERR_SESSION_COOKIE_MISSING' })
const refused = expect.objectContaining({ code: 'ERR_SESSION_SIGNATURE' })

/** How often a signature was compared so far, in constant time. */
function countComparisons(): () => number {
  const crypto = createRequire(import.meta.url)('node:crypto') as typeof import('node:crypto')
  const compare = vi.spyOn(crypto, 'timingSafeEqual')
  onTestFinished(() => compare.mockRestore())
  return () => compare.mock.calls.length
}

describe('a Cookie header', () => {
  test('of 32,768 characters is read, a longer one is not', () => {
    const header = (length: number) => 'sid=x; filler='.padEnd(length, 'x')
    expect(readCookie(header(32_768), 'sid')).toBe('x')
    expect(() => readCookie(header(32_769), 'sid')).toThrow(missing)
  })

  test.each([undefined, null, 7, {}, ['constructor=x']])('that is %j has no cookie, whatever its name', (header) => {
    for (const name of ['sid', 'constructor', '__proto__']) expect(() => readCookie(header, name)).toThrow(missing)
  })

  test('with a value that is malformed gives it as it is', () => {
    expect(readCookie('sid=%E0%A4%A', 'sid')).toBe('%E0%A4%A')
  })

  test.each([
    ['sid=s%3Ax', 's:x'],
    ['sid="s%3Ax"', 's:x'],
    ['sid="s%3Ax', '"s:x'],
    ['sid=s%3Ax"', 's:x"'],
    ['sid="%E0%A4%A"', '%E0%A4%A'],
  ])('%s has the value %s, as in express-session', (header, value) => {
    expect(readCookie(header, 'sid')).toBe(value)
  })
})

describe('a signed value', () => {
  const verifier = new Verifier([secret, 'the one before'])

  test('of 4,096 characters is verified, a longer one is not, though its signature is genuine', () => {
    const id = (length: number) => 'x'.repeat(length - signed('').length)
    expect(verifier.verify(signed(id(4_096)))).toBe(id(4_096))
    expect(() => verifier.verify(signed(id(4_097)))).toThrow(refused)
  })

  test('is verified with every secret', () => {
    for (const by of [secret, 'the one before']) expect(verifier.verify(signed(`by ${by}`, by))).toBe(`by ${by}`)
  })

  test.each([
    ['of an empty id', signed('')],
    ['without a signature', 's:id'],
    ['with an empty signature', 's:id.'],
    ['with a signature of another id', `s:id.${sign('other', secret).slice(6)}`],
    ['with a signature that is too long', `${signed('id')}A`],
    ['with a signature by another secret', signed('id', 'other')],
    ['that is marked as JSON', `j:${sign('id', secret)}`],
    ['that is not marked as signed', `..${sign('id', secret)}`],
  ])('%s is refused', (_what, value) => {
    expect(() => verifier.verify(value)).toThrow(refused)
  })

  test('is compared in constant time', () => {
    const comparisons = countComparisons()
    expect(() => verifier.verify(`s:id.${'A'.repeat(43)}`)).toThrow(refused)
    expect(comparisons()).toBe(2)
  })
})

describe('values that were genuine', () => {
  test('are known again', () => {
    const verifier = new Verifier([secret])
    const comparisons = countComparisons()
    for (let times = 0; times < 3; times++) expect(verifier.verify(signed('id'))).toBe('id')
    expect(comparisons()).toBe(1)
  })

  test('are known again also when 500 others came', () => {
    const verifier = new Verifier([secret])
    const comparisons = countComparisons()
    for (let index = 0; index <= 500; index++) verifier.verify(signed(`id${index}`))
    verifier.verify(signed('id0'))
    expect(comparisons()).toBe(501)
  })

  test('are forgotten when a thousand others came', () => {
    const verifier = new Verifier([secret])
    const comparisons = countComparisons()
    for (let index = 0; index <= 1_000; index++) verifier.verify(signed(`id${index}`))
    verifier.verify(signed('id0'))
    expect(comparisons()).toBe(1_002)
  })

  test('do not make known what only begins as they do', () => {
    const verifier = new Verifier([secret])
    verifier.verify(signed('id'))
    for (const forged of [signed('id').slice(0, -1), `${signed('id')}A`]) {
      expect(() => verifier.verify(forged)).toThrow(refused)
    }
  })
})
