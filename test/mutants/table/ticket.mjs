/** Tickets, and the way from a handshake to a session id. */
export const ticket = [
  {
    file: 'handshake/ticket.ts',
    rows: [
      ['without a secret a ticket fails otherwise', 'if (!key) throw', 'if (false) throw', 'middleware', 'tickets'],
      ['a ticket of any type is read', "typeof ticket !== 'string' || ", '', 'ticket'],
      ['a ticket of any length is read', 'ticket.length > maxLength', 'false', 'ticket'],
      ['a ticket is good for ever', 'if (read.expires <= Date.now()) throw', 'if (false) throw', 'ticket'],
      ['a ticket is good for ten minutes', 'const lifetime = 60_000', 'const lifetime = 600_000', 'ticket'],
      [
        'a ticket is read without being authenticated',
        'Buffer.concat([decipher.update(sealed), decipher.final()]).toString()',
        'decipher.update(sealed).toString()',
        'ticket',
      ],
      [
        'a ticket that is too short is read',
        'if (bytes.length <= ivLength + tagLength) return undefined',
        '',
        'ticket',
      ],
      ['only the first secret decrypts', 'of this.#keys)', 'of this.#keys.slice(0, 1))', 'ticket'],
      [
        'this process forgets which tickets were used',
        "if (this.#used.has(nonce)) throw refused('it was used before')",
        '',
        'ticket',
      ],
      [
        'the session does not say which tickets were used',
        "if (used.some(([other]) => other === nonce)) throw refused('it was used before')",
        '',
        'ticket',
      ],
      ['explain does not ask the session whether a ticket was used', ' || Object.hasOwn(used, nonce)', '', 'ticket'],
      [
        'explain does not ask this process whether a ticket was used',
        'this.#used.has(nonce) || Object',
        'Object',
        'ticket',
      ],
      ['a session may use any number of tickets in a minute', 'used.length >= mostUsed', 'false', 'ticket'],
      ['tickets that expired count for ever', '.filter(([, until]) => until > Date.now())', '', 'ticket'],
      [
        'this process remembers used tickets for ever',
        'for (const [used, until] of this.#used) if (until <= Date.now()) this.#used.delete(used)',
        '',
        'ticket',
      ],
      [
        'a store that fails uses a ticket up',
        "if (error.code !== 'ERR_SESSION_TICKET') this.#used.delete(nonce)",
        '',
        'ticket',
      ],
      [
        'this process forgets that the session said a ticket was used',
        "if (error.code !== 'ERR_SESSION_TICKET') this.#used.delete(nonce)",
        'this.#used.delete(nonce)',
        'ticket',
      ],
      ['a ticket is for every session', 'this.#decrypt(ticket).id === id', 'true', 'ticket'],
      [
        'a ticket that got old lets its own connection in nowhere else',
        'this.#decrypt(ticket).id === id',
        'this.read(ticket).id === id',
        'ticket',
      ],
    ],
  },
  {
    file: 'handshake/identify.ts',
    rows: [
      [
        'nobody waits for the check of the origin',
        'checking.then(() => verify(handshake, identity, passed))',
        'verify(handshake, identity, passed)',
        'refusals',
        'a foreign Origin',
      ],
      [
        'load does not look what it was given',
        '  checkHandshake(handshake)\n  const checking',
        '  const checking',
        'options',
        'load',
      ],
      [
        'what is no handshake is taken for one',
        "if (typeof headers === 'object' && headers !== null) return handshake",
        'return handshake',
        'options',
      ],
    ],
  },
  {
    file: 'handshake/explain.ts',
    rows: [
      [
        'explain says that whatever is refused is accepted, with required: false',
        '!by.required && isAnonymous(error as SessionError)',
        '!by.required',
        'refusals',
        'required: false',
      ],
    ],
  },
  {
    file: 'handshake/hints.ts',
    rows: [
      ['explain prints what may be the value of a cookie', 'token.test(other)', 'true', 'cli', 'pasted'],
      ['explain prints what is random', ' && !random.test(other)', '', 'cli', 'pasted'],
      ['explain prints what is encoded', '^`|~-]', '^`|~%-]', 'cli', 'pasted'],
      ['explain prints names of any length', '{1,64}', '+', 'refusals', 'explain names'],
      ['explain prints any number of names', 'others.length < mostNames && ', '', 'refusals', 'explain names'],
      [
        'explain says that a session was destroyed which another store has',
        'if (isUsedByMiddleware(store))',
        'if (true)',
        'refusals',
        'another store instance',
      ],
    ],
  },
]
