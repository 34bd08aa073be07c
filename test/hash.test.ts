import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { sign } from 'cookie-signature'
import { Verifier } from 'handshake-session/internals'
import { expect, it } from 'vitest'

const texts = ['id', 'ü€😀', '\ud800', 'x'.repeat(55), 'x'.repeat(56), 'a.b', 'y'.repeat(4_000)]

/** Shorter than a block of SHA-256, as long, and longer: such a key is hashed first. */
const keys = {
  'a short one': 'keyboard cat',
  'one beyond ASCII': 'Schlüssel',
  '64 bytes': 'k'.repeat(64),
  '65 bytes': 'k'.repeat(65),
  'a part of a buffer': Buffer.from('--keyboard cat--').subarray(2, 14),
  'a DataView': new DataView(Uint8Array.of(1, 2, 255).buffer),
  'a KeyObject': createSecretKey(Buffer.alloc(100, 7)),
}

for (const [title, key] of Object.entries(keys)) {
  it(`a signature is that of cookie-signature, with ${title} as the key`, () => {
    const verifier = new Verifier([key])
    for (const text of texts) {
      const signed = `s:${sign(text, key as string)}`
      assert.equal(verifier.verify(signed), text)
      const changed = signed.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
      expect(() => verifier.verify(changed)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_SIGNATURE' }))
    }
  })
}

it('more values than are remembered are verified as the first one was', () => {
  const verifier = new Verifier(['keyboard cat'])
  const ids = Array.from({ length: 1_200 }, (_, index) => `id${index}`)
  for (const id of [...ids, ...ids]) assert.equal(verifier.verify(`s:${sign(id, 'keyboard cat')}`), id)
})
