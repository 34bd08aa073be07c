/** What is wrong is said at once, and tells no secret. */
export const options = [
  {
    file: 'options.ts',
    rows: [
      ['no options at all are taken for some', "typeof options !== 'object' || options === null", 'false', 'options'],
      [
        'a Redis client without eval will do',
        "redis !== undefined && typeof redis?.eval !== 'function'",
        'false',
        'options',
      ],
      [
        'an emitter that cannot emit will do',
        "emitter !== undefined && typeof emitter?.serverSideEmit !== 'function'",
        'false',
        'options',
      ],
      [
        'an onError that is no function will do',
        "onError !== undefined && typeof onError !== 'function'",
        'false',
        'options',
      ],
      ['a flag of any type will do', "value !== undefined && typeof value !== 'boolean'", 'false', 'options'],
      ['timeout: 0 will do', "option === 'freshFor' ? 0 : 1", '0', 'options'],
      ['freshFor: 0 will not do', "option === 'freshFor' ? 0 : 1", '1', 'fresh', 'after freshFor'],
      ['milliseconds that no timer knows will do', ' && value <= longest', '', 'options'],
      [
        'a string of milliseconds will do',
        "typeof value === 'number' && value >= least",
        'Number(value) >= least',
        'options',
      ],
      [
        'a store without destroy will do',
        "(['get', 'set', 'destroy'] as const).find",
        "(['get', 'set'] as const).find",
        'options',
      ],
      [
        'a message prints what was given as store, with its password',
        'store === null ? null : typeof store',
        'store',
        'options',
      ],
      ['a message prints what was given as secret', "each === '' ? each : typeof each", 'each', 'options'],
      ['an empty array of secrets will do', 'if (secrets.length === 0)', 'if (false)', 'options'],
      [
        'an empty secret will do',
        "if (typeof value === 'string') return value !== ''",
        "if (typeof value === 'string') return true",
        'options',
      ],
      ['an empty Buffer will do as a secret', 'value.byteLength > 0', 'true', 'options'],
      ['a public key will do as a secret', " && value.type === 'secret'", '', 'options'],
      [
        'a name and a key that differ will do',
        'name !== undefined && key !== undefined && name !== key',
        'false',
        'options',
      ],
      ['an empty name will do', "typeof chosen !== 'string' || chosen === ''", 'false', 'options'],
    ],
  },
  {
    file: 'origin.ts',
    rows: [['an origin with a path will do', 'if (parse(rule)?.origin !== rule)', 'if (false)', 'options']],
  },
  {
    file: 'errors.ts',
    rows: [
      [
        'a client is told the whole message',
        'new SessionError(this.code, clientMessages[this.code]',
        'new SessionError(this.code, this.message',
        'refusals',
        'a foreign Origin by polling',
      ],
      [
        'the error of an app or a store is handed on as it is',
        'if (error instanceof SessionError) return error',
        'return error as SessionError',
        'unawaited',
        'end:',
      ],
    ],
  },
]
