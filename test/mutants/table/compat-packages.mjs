/** The shims with a protocol of their own: socket.io-mysql-session, socket.io-sessions, zappajs. */
export const compatPackages = [
  {
    file: 'compat/socket.io-mysql-session/table.ts',
    rows: [
      [
        'anything is a token',
        "typeof token === 'string' && /^[\\w-]{1,32}$/.test(token)",
        'true',
        'compat/socket.io-mysql-session',
      ],
      ['what a collation takes for equal is the row', 'sessionId === token', 'true', 'compat/socket.io-mysql-session'],
      [
        'data too long is cut off',
        'if (length > textCapacity && length > (await this.#capacity())) {',
        'if (false) {',
        'compat/socket.io-mysql-session',
      ],
      ['an error of the database is none', 'if (error) throw error', '', 'compat/socket.io-mysql-session'],
      ['a list is data', ' && !Array.isArray(values)', '', 'compat/socket.io-mysql-session'],
      [
        'values have the names of Object',
        'Object.assign(Object.create(null), origin)',
        '{ ...origin }',
        'compat/socket.io-mysql-session-setup',
        'd15',
      ],
    ],
  },
  {
    file: 'compat/socket.io-mysql-session/session.ts',
    rows: [
      [
        'an expired session goes on',
        "if (Math.round(Date.now() / 1000) > row.expires) return this.#begin('Session Expired')",
        '',
        'compat/socket.io-mysql-session',
      ],
      [
        'a login of before goes into the new session',
        "this.token === '' ? this.values : noValues()",
        'this.values',
        'compat/socket.io-mysql-session',
      ],
      ['two tokens mix', 'const turn = this.#last.then(work)', 'const turn = work()', 'compat/socket.io-mysql-session'],
      ['data that is broken is loaded', 'if (!values) {', 'if (false) {', 'compat/socket.io-mysql-session'],
      [
        'it is saved under no token',
        "if (this.token === '') throw new Error(tokenIsEmpty)",
        '',
        'compat/socket.io-mysql-session',
      ],
      [
        'the client is told the error of the database',
        "return { token: '', errors }",
        "return { token: '', errors: String(error) }",
        'compat/socket.io-mysql-session',
      ],
    ],
  },
  {
    file: 'compat/socket.io-mysql-session.ts',
    rows: [
      ['no db is one', 'if (!options?.db) throw', 'if (false) throw', 'compat/socket.io-mysql-session-setup'],
      [
        '0 is an expiration',
        'if (!(expirationMs > 0)) throw',
        'if (false) throw',
        'compat/socket.io-mysql-session-setup',
      ],
      [
        'the default is in seconds',
        'if (expiration === oneDay) return oneDay',
        '',
        'compat/socket.io-mysql-session-setup',
      ],
    ],
  },
  {
    file: 'compat/socket.io-sessions.ts',
    rows: [
      [
        'anything is a server',
        'if (!isServer(args.socket))',
        'if (false)',
        'compat/socket.io-sessions',
        'in the same order',
      ],
      ['no store is one', 'if (!args.store)', 'if (false)', 'compat/socket.io-sessions', 'in the same order'],
      [
        'matchCookie without a reader is silent',
        '!reader && (args.matchCookie || !isFirstGeneration)',
        '!reader && !isFirstGeneration',
        'compat/socket.io-sessions',
        'in the same order',
      ],
      [
        'no reader is one',
        '!reader && (args.matchCookie || !isFirstGeneration)',
        '!reader && args.matchCookie',
        'compat/socket.io-sessions',
        'in the same order',
      ],
      ['a bare id is always taken', 'args.rawSid ?? isFirstGeneration', 'true', 'compat/socket.io-sessions'],
      [
        'matchCookie has no effect',
        'matchCookie: args.matchCookie === true',
        'matchCookie: false',
        'compat/socket.io-sessions',
        'matchCookie',
      ],
      [
        'the script has the id',
        'credentials.forScript(args.rawSid === true)',
        'credentials.forScript(true)',
        'compat/socket.io-sessions-script',
      ],
      [
        'an onError that throws ends the process',
        "debug('onError itself threw: %o', thrown)",
        'throw thrown',
        'compat/socket.io-sessions',
      ],
      [
        'that a client has no session is a warning',
        'error instanceof SessionError && isAnonymous(error)',
        'false',
        'compat/socket.io-sessions',
      ],
    ],
  },
  {
    file: 'compat/socket.io-sessions/clients.ts',
    rows: [
      [
        'a client forges a session',
        'if (!ownEvents.includes(event)) next()',
        'next()',
        'compat/socket.io-sessions',
        'smessage',
      ],
      [
        'null ends the process',
        'const { __sid } = Object(data)',
        'const { __sid } = data as { __sid: unknown }',
        'compat/socket.io-sessions',
      ],
      [
        'a message that is null ends the process',
        'const { __sid, connect } = Object(message)',
        'const { __sid, connect } = message as { __sid: unknown; connect: unknown }',
        'compat/socket.io-sessions',
      ],
    ],
  },
  {
    file: 'compat/socket.io-sessions/credentials.ts',
    rows: [
      ['what is no text is an id', "typeof sid !== 'string' || ", '', 'compat/socket.io-sessions'],
      ['an endless id is looked at', ' || sid.length > maxLength', '', 'compat/socket.io-sessions'],
      [
        'a signature is not verified',
        'return { id: new Verifier(this.#options.secrets).verify(sid) }',
        "return { id: sid.slice(2).split('.')[0] as string }",
        'compat/socket.io-sessions',
      ],
      [
        'a token is good twice',
        'if (ticket) await this.#tickets.redeem(ticket, live)',
        '',
        'compat/socket.io-sessions',
      ],
      ['a bare id is taken', 'if (!this.#options.rawSid) throw error', '', 'compat/socket.io-sessions'],
      [
        'a mere socket of zappajs is a session',
        'if (isOfZappa(live.session.cookie)) throw',
        'if (false) throw',
        'compat/socket.io-sessions',
      ],
      [
        'another cookie is as good',
        '(await this.#cookieID(request)) !== id',
        'false',
        'compat/socket.io-sessions',
        'matchCookie',
      ],
      [
        'a session that ended is believed',
        'registry.open(id, 0)',
        'registry.open(id)',
        'compat/hostile',
        'signed id whose session',
      ],
    ],
  },
  {
    file: 'compat/socket.io-sessions/cookie-reader.ts',
    rows: [
      [
        'an unsigned cookie is one, though the parser has a secret',
        "if (secrets.length === 0 && secret && !plain.startsWith('s:')) throw unsigned()",
        '',
        'compat/socket.io-sessions-script',
      ],
      [
        'a signed cookie that nobody can verify is served',
        "if (!value.startsWith('s:')) return value",
        'return value',
        'compat/socket.io-sessions-script',
      ],
      [
        'an object is an id',
        "typeof value === 'string' && value !== ''",
        'value',
        'compat/socket.io-sessions-script',
        'over HTTP',
      ],
      [
        'the signature is not verified, after a parser',
        'secrets.length > 0 ? new Verifier(secrets).verify(plain) : unwrap(plain, secrets)',
        'unwrap(plain, secrets)',
        'compat/socket.io-sessions-script',
      ],
      [
        'a missing secret is not named',
        'add `secret` to the arguments of enable, the one of session()',
        'that is all',
        'compat/socket.io-sessions-express3',
      ],
    ],
  },
  {
    file: 'compat/socket.io-sessions/script.ts',
    rows: [
      [
        'any site gets the token',
        'return void tell(refusal)',
        'tell(refusal)',
        'compat/socket.io-sessions-script',
        'over HTTP',
      ],
      ['the script is cached', "'Cache-Control': 'no-store',", '', 'compat/socket.io-sessions-script', 'over HTTP'],
      [
        'any site may include it',
        "'Cross-Origin-Resource-Policy': 'same-origin',",
        '',
        'compat/socket.io-sessions-script',
      ],
      [
        'its type is guessed',
        "'X-Content-Type-Options': 'nosniff',",
        '',
        'compat/socket.io-sessions-script',
        'over HTTP',
      ],
      [
        'an id breaks out of its script',
        '/[<\\u2028\\u2029]/g',
        '/[\\u2028\\u2029]/g',
        'compat/socket.io-sessions-script',
      ],
      [
        'its length is in characters',
        'Buffer.byteLength(body)',
        'body.length',
        'compat/socket.io-sessions-script',
        'over HTTP',
      ],
      ['POST is answered as well', "method === 'GET' && ", '', 'compat/socket.io-sessions-kept', 'POST'],
    ],
  },
  {
    file: 'compat/socket.io-sessions/per-connection.ts',
    rows: [
      [
        'a second handshake is another sconnection',
        'if (this.#live?.id === opened.id) return',
        '',
        'compat/socket.io-sessions',
      ],
      ['a client that left is a sconnection', 'if (!this.#client.connected) return', '', 'compat/socket.io-sessions'],
      ['a session that ended is saved', 'if (!live.ended) await', 'await', 'compat/socket.io-sessions'],
      ['a session is never let go of', 'live.release(this)', '', 'compat/socket.io-sessions', 'let go'],
      [
        'the end of a session leaves the connection',
        'this.#client.conn.close()',
        '',
        'compat/socket.io-sessions',
        'destroys the session',
      ],
    ],
  },
  {
    file: 'compat/socket.io-sessions/per-message.ts',
    rows: [
      ['a second handshake is another sconnection', 'if (isFirst) announce', 'announce', 'compat/socket.io-sessions'],
      [
        'a failure is remembered',
        'this.#opened = undefined\n      throw error',
        'throw error',
        'compat/socket.io-sessions',
      ],
      ['a message before the handshake is one', 'if (this.#sid === undefined) return', '', 'compat/socket.io-sessions'],
    ],
  },
  {
    file: 'compat/zappajs/store.ts',
    rows: [
      [
        'any record is a key',
        "typeof id === 'string' && Object.keys(cookie).length === 0",
        "typeof id === 'string'",
        'compat/hostile',
        'only a key document',
      ],
      ['an id that is no text is one', "typeof id === 'string' && ", '', 'compat/hostile', 'only a key document'],
      [
        'a file that is not there is an error',
        " && (error as { code?: unknown }).code !== 'ENOENT'",
        '',
        'compat/zappajs',
      ],
      ['a store that fails has written', 'if (error) throw error\n}\n\n/**', '}\n\n/**', 'compat/zappajs'],
    ],
  },
  {
    file: 'compat/zappajs/key-event.ts',
    rows: [
      ['every setting of the app is told', '.filter(([name]) => names.includes(name))', '', 'compat/zappajs'],
      ['what is no text is a key', "typeof key !== 'string' || key === ''", "key === ''", 'compat/zappajs'],
      [
        'no payload ends the process',
        '(data as { key?: unknown } | null | undefined)?.key',
        '(data as { key?: unknown }).key',
        'compat/zappajs',
      ],
    ],
  },
  {
    file: 'compat/zappajs/key-request.ts',
    rows: [
      ['the key request is cached', "this.res.setHeader('Cache-Control', 'no-store')", '', 'compat/zappajs'],
      ['no session is one', "if (!session) throw new Refusal(400, 'No session')", '', 'compat/zappajs'],
      [
        'the key of another session is handed out',
        ' && (await readKey(store, known.key, options)) === session.id',
        '',
        'compat/zappajs',
      ],
      [
        'anybody names the socket of a session',
        'options.trustSocketId ? params.socket_id : known?.id',
        'params.socket_id',
        'compat/zappajs',
      ],
      [
        'names of Object are channels',
        'Object.assign(Object.create(null), channels)',
        '{ ...channels }',
        'compat/zappajs',
      ],
    ],
  },
  {
    file: 'compat/zappajs/event-session.ts',
    rows: [
      [
        'a destroyed session is written back',
        "(error as { code?: unknown } | null)?.code === 'ERR_SESSION_NOT_FOUND'",
        'false',
        'compat/zappajs-events',
      ],
      [
        'the binding to one that is over stays',
        'else if (ctx.client.__session_id === stored.id) delete ctx.client.__session_id',
        '',
        'compat/zappajs-events',
        'destroyed session is never',
        'hangs',
      ],
      ['a handler runs twice', 'if (!hasRun) await', 'await', 'compat/zappajs-events'],
      [
        'what nobody changed is written',
        'if (copy.isChanged) await stored.write(copy)',
        'await stored.write(copy)',
        'compat/zappajs-events',
      ],
    ],
  },
  {
    file: 'compat/zappajs/unbound-session.ts',
    rows: [
      ['what a socket leaves is kept', "if (fates.get(this.#client) === 'left') return", '', 'compat/zappajs-events'],
      ['a record of a socket is never deleted', 'if (wasStored) await', 'if (false) await', 'compat/zappajs-events'],
      ['one that was never stored is deleted', 'if (wasStored) await', 'await', 'compat/zappajs-events'],
      ['it looks like any session', ', __io: true', '', 'compat/zappajs-events'],
    ],
  },
]
