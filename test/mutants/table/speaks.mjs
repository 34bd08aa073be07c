/** What is misconfigured is said: where, how often, and nothing that is secret. */
export const speaks = [
  {
    file: 'errors/warn.ts',
    rows: [
      ['each refusal is a warning', ' || this.#told.has(code)', '', 'speaks', 'first refusal of each code'],
      ['production is warned', 'isProduction() || ', '', 'speaks', 'in production'],
    ],
  },
  {
    file: 'errors/tell.ts',
    rows: [
      ['who has onError is warned as well', 'if (!onError && ', 'if (', 'speaks', 'with onError'],
      [
        'whoever is anonymous where that is allowed is a warning',
        '(required || !isAnonymous(told))',
        'true',
        'speaks',
        'no session is required',
      ],
      [
        'a store that fails is no warning where no session is required',
        '(required || !isAnonymous(told))',
        'required',
        'speaks',
        'a store that fails is',
      ],
    ],
  },
  {
    file: 'handshake/hints.ts',
    rows: [
      [
        'a flood of refusals costs a hint each',
        'if (this.#given >= mostPerSecond) return error',
        '',
        'speaks',
        'flood',
      ],
      [
        'after the first second there are no hints',
        'if (second !== this.#second) [this.#second, this.#given] = [second, 0]',
        '',
        'speaks',
        'next second',
      ],
      [
        'the cause of a refusal is lost by its hint',
        "Object.hasOwn(error, 'cause') ? { cause: error.cause } : undefined",
        'undefined',
        'speaks',
        'keeps its cause',
      ],
      [
        'a session that is being saved was destroyed',
        'id !== undefined && isBeingWritten(id)',
        'false',
        'speaks',
        'not saved yet',
      ],
      ['a large header is looked at again', ' && cookie.length > maxHeaderLength', ' && false', 'speaks', '8,192'],
      ['a cookie of another name makes two', '?.trim() === name)', "?.trim() !== '')", 'speaks', 'not called two'],
    ],
  },
  {
    file: 'socket-io/early-middlewares.ts',
    rows: [
      ['production is watched', ' || isProduction()', '', 'speaks', 'in production is not watched'],
      ['whoever has no middleware is watched', 'early.length === 0 || ', '', 'options', 'attach twice'],
      ['each look is told', '    this.#isTold = true\n', '', 'speaks', 'told so, once'],
      [
        'what others put there is covered',
        "owner && !('session' in owner)",
        'owner',
        'speaks',
        'a session that is there',
      ],
      [
        'the watch goes on after attach',
        "Reflect.deleteProperty(owner, 'session')",
        'undefined',
        'speaks',
        'finds none after attach',
      ],
      [
        'the session is put nowhere',
        "Object.defineProperty(owner, 'session', { value, configurable: true, enumerable: true, writable: true })",
        'undefined',
        'speaks',
        'puts there itself',
      ],
    ],
  },
  {
    file: 'socket-io/namespaces.ts',
    rows: [
      [
        'those between two instances are told',
        'if (!there.some((each) => guards.has(each as Guard))) ',
        '',
        'speaks',
        'between the two',
      ],
    ],
  },
  {
    file: 'options/names.ts',
    rows: [
      ['a name that is none says nothing', 'if (unknown === undefined) return', 'return', 'speaks', 'misspelt'],
      ['an option of express-session is none', ' && !others.includes(name)', '', 'speaks', 'of express-session'],
      ['no slip is seen', 'startOf(name) === startOf(unknown)', 'false', 'speaks', 'misspelt'],
    ],
  },
]
