/**
 * SHA-256 and HMAC of it, for many small values. Where Node has one-shot hashes (20.12, 21.7), by them: `createHash` and
 * `createHmac` make a native object each time, and that costs more than the hash does, and again when it is collected.
 */
import * as crypto from 'node:crypto'
import type { Secret } from './options'

type Encoding = 'base64' | 'base64url' | 'binary'

export const sha256: (data: string | Buffer, encoding: Encoding) => string =
  typeof crypto.hash === 'function'
    ? (data, encoding) => crypto.hash('sha256', data, encoding)
    : (data, encoding) => crypto.createHash('sha256').update(data).digest(encoding)

/** Bytes that SHA-256 works on at a time, and bytes of a hash. */
const [blockLength, hashLength] = [64, 32]

/** HMAC-SHA256 with one key (RFC 2104, section 2). */
export class Hmac {
  readonly #inner: Buffer
  readonly #outer: Buffer

  constructor(secret: Secret) {
    const key = bytesOf(secret)
    const block = Buffer.alloc(blockLength)
    block.set(key.length > blockLength ? Buffer.from(sha256(key, 'binary'), 'binary') : key)
    this.#inner = block.map((byte) => byte ^ 0x36) as Buffer
    this.#outer = Buffer.concat([block.map((byte) => byte ^ 0x5c), Buffer.alloc(hashLength)])
  }

  /** Of the text as UTF-8; as Base64 without padding. */
  of(text: string): string {
    const inner = Buffer.allocUnsafe(blockLength + Buffer.byteLength(text))
    inner.set(this.#inner)
    inner.write(text, blockLength)
    this.#outer.write(sha256(inner, 'binary'), blockLength, 'binary')
    return sha256(this.#outer, 'base64').slice(0, -1)
  }
}

function bytesOf(secret: Secret): Buffer {
  if (typeof secret === 'string') return Buffer.from(secret)
  if (ArrayBuffer.isView(secret)) return Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength)
  return secret.export()
}
