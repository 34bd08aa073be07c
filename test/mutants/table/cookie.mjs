/** Cookie header → verified session id. */
export const cookie = [
  {
    file: 'handshake/cookie.ts',
    rows: [
      ['a Cookie header of any length is parsed', 'header.length > maxHeaderLength', 'false', 'cookie'],
      ['a value of any length is verified', ' && value.length <= maxLength', '', 'cookie'],
      ['an empty id that is signed is one', "signed.lastIndexOf('.') > 0", "signed.lastIndexOf('.') >= 0", 'cookie'],
      ['what is marked as JSON is taken for signed', '!value.startsWith(prefix)', 'false', 'cookie'],
      ['any signature will do', 'unsign(signed, secret)', "signed.slice(0, signed.lastIndexOf('.'))", 'cookie'],
      ['only the first secret verifies', 'of this.#secrets)', 'of this.#secrets.slice(0, 1))', 'cookie'],
      [
        'signatures are compared in a time that tells how much is right',
        'unsign(signed, secret)',
        "[signed.slice(0, signed.lastIndexOf('.'))].find((id) => signed === require('cookie-signature').sign(id, secret)) ?? false",
        'cookie',
      ],
      ['a secret beyond ASCII is cut', "createSecretKey(secret, 'utf8')", "createSecretKey(secret, 'latin1')", 'hash'],
      ['every genuine value is remembered for ever', 'this.#latest.size >= fewestGenuine', 'false', 'cookie'],
      ['no genuine value is known again', 'if (known !== undefined) return known', '', 'cookie'],
      ['genuine values are forgotten all at once', 'this.#older.get(value) ?? ', '', 'cookie'],
      ['no cookie is one that is called constructor', 'return Object.create(null)', 'return {}', 'cookie'],
      ['quotes are part of a value', `value.startsWith('"') && value.endsWith('"')`, 'false', 'cookie'],
      ['one quote is taken off', `value.startsWith('"') && value`, 'value', 'cookie'],
      ['a value is not decoded', 'decodeURIComponent(plain)', 'plain', 'cookie'],
      [
        'a cookie that is malformed ends the handshake otherwise',
        'catch {\n    return plain',
        'catch (error) {\n    throw error',
        'cookie',
      ],
    ],
  },
]
