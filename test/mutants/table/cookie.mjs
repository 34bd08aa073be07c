/** Cookie header → verified session id. */
export const cookie = [
  {
    file: 'cookie.ts',
    rows: [
      ['a Cookie header of any length is parsed', 'header.length > maxHeaderLength', 'false', 'cookie'],
      ['a value of any length is verified', ' && value.length <= maxValueLength', '', 'cookie'],
      ['an empty id that is signed is one', 'dot > prefix.length', 'dot > 0', 'cookie'],
      ['what is marked as JSON is taken for signed', '!value.startsWith(prefix)', 'false', 'cookie'],
      ['any signature will do', 'isSame(signature, hmac.of(id))', 'true', 'cookie'],
      ['only the first secret verifies', 'this.#hmacs.some(', 'this.#hmacs.slice(0, 1).some(', 'cookie'],
      ['a signature of another length is compared', 'given.length === expected.length && ', '', 'cookie'],
      [
        'signatures are compared in a time that tells how much is right',
        'timingSafeEqual(given, Buffer.from(expected))',
        'given.toString() === expected',
        'cookie',
      ],
      ['every genuine value is remembered for ever', 'this.#latest.size >= fewestVerified', 'false', 'cookie'],
      ['no genuine value is known again', 'if (known !== undefined) return known', '', 'cookie'],
      ['no cookie is one that is called constructor', 'return Object.create(null)', 'return {}', 'cookie'],
      [
        'a cookie that is malformed ends the handshake otherwise',
        'catch {\n    return value',
        'catch (error) {\n    throw error',
        'cookie',
      ],
    ],
  },
  {
    file: 'hash.ts',
    rows: [
      ['a key as long as a block is hashed', 'key.length > blockLength', 'key.length >= blockLength', 'hash'],
      ['a text beyond ASCII is cut', 'Buffer.byteLength(text)', 'text.length', 'hash'],
      [
        'a view of a buffer stands for all of it',
        'Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength)',
        'Buffer.from(secret.buffer)',
        'hash',
      ],
    ],
  },
]
