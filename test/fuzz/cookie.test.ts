/** Cookie headers and signed values, against the rule in ten lines: equal answers, whatever comes. */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { SessionError, type SessionErrorCode } from 'handshake-session'
import { readCookie, Verifier } from 'handshake-session/internals'
import { cookieHeaders, cookieName, hostile, secrets, signedValues } from './arbitraries.js'
import { holds, type Measure } from './budget.js'
import { cookieOf, idIn } from './references.js'

const ids = ['ann-id', 'a.b', 'é', '__proto__']

holds(
  'a cookie is read as the first of its name, or refused as missing',
  'cookie header',
  fc.tuple(fc.oneof({ weight: 40, arbitrary: cookieHeaders(ids) }, hostile), cookieName.filter(Boolean)),
  ([header, name], measure) => {
    const read = answerOf('ERR_SESSION_COOKIE_MISSING', measure, () => readCookie(header, name))
    assert.equal(read, cookieOf(header, name))
  },
)

/** As `secret` may be given, and the strings that they stand for. */
const rings = [[secrets[0]], secrets, [Buffer.from(secrets[0]), createSecretKey(Buffer.from(secrets[1]))]].map(
  (ring) => ({ ring, strings: secrets.slice(0, ring.length) }),
)

holds(
  'a signed value gives the id that one of the secrets signed, or is refused',
  'signed value',
  fc.tuple(signedValues(ids), fc.nat(rings.length - 1)),
  ([value, which], measure) => {
    const { ring, strings } = rings[which] as (typeof rings)[number]
    const id = answerOf('ERR_SESSION_SIGNATURE', measure, () => new Verifier(ring).verify(value))
    assert.equal(id, idIn(value, strings))
  },
)

/** What it returns, or undefined if it throws that refusal. */
function answerOf(code: SessionErrorCode, measure: Measure, work: () => string): string | undefined {
  return measure(() => {
    try {
      return work()
    } catch (error) {
      assert(error instanceof SessionError && error.code === code, error as Error)
      return undefined
    }
  })
}
