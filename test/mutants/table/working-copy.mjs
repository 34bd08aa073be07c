/** What was changed in a session, and what is written of it. */
export const workingCopy = [
  {
    file: 'session/working-copy.ts',
    rows: [
      ['__proto__ of a record is a key', ".filter(([key]) => key !== '__proto__')", '', 'working-copy'],
      [
        'what they changed wins over what we changed',
        'if (isOurs || ours.get(key) !== base.get(key)) conflicts.push(key)\n      else this.#take',
        'this.#take',
        'working-copy',
      ],
      [
        'what both changed to the same value is no conflict',
        'if (isOurs || ours.get(key) !== base.get(key)) conflicts',
        'if (isOurs || (ours.get(key) !== base.get(key) && ours.get(key) !== theirParts.get(key))) conflicts',
        'working-copy',
      ],
      [
        'a key that a session inherits is one of the record',
        'Object.hasOwn(source, key)',
        'key in source',
        'working-copy',
      ],
      ['a key that they deleted stays', '  else delete target[key]\n', '', 'working-copy'],
      [
        'what came in during a write is lost',
        'this.#base === base ? json : merge(this.#base, base, json)',
        'json',
        'working-copy',
      ],

      [
        'a key that was deleted and written comes back',
        'if (value === undefined) result.delete(key)',
        'if (value === undefined) continue',
        'working-copy',
      ],
      ['what an update wrote counts as unsaved', '        this.#applied?.written()\n', '', 'working-copy'],
      ['an update writes the cookie of the socket', ', cookie: JSON.parse(other.#base).cookie', '', 'working-copy'],
      ['what was touched counts as unsaved', '[key]: this.session[key]', '', 'working-copy'],
      [
        'a rebase replaces objects that nobody changed',
        'return [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key))',
        'return [...new Set([...before.keys(), ...after.keys()])]',
        'working-copy',
      ],
      ['what a failed write left is no change', 'this.#uncertain !== undefined || ', '', 'working-copy'],
      [
        'what a failed write left is what they changed',
        'this.#uncertain?.has(key) && this.#uncertain.get(key) === theirParts.get(key)',
        'false',
        'working-copy',
      ],
      [
        'what they changed later is what a failed write left',
        'this.#uncertain?.has(key) && this.#uncertain.get(key) === theirParts.get(key)',
        'this.#uncertain?.has(key)',
        'working-copy',
      ],
      [
        'what they changed later leaves a failed write uncertain',
        'if (this.#uncertain?.delete(key) && this.#uncertain.size === 0) this.#uncertain = undefined',
        '',
        'working-copy',
      ],
      ['what was written at last stays uncertain', '        this.#uncertain = undefined\n', '', 'working-copy'],
      ['the cookie of a failed write is a change', ".filter((key) => key !== 'cookie')", '', 'working-copy'],
      ['a write that fails without changes is uncertain', 'if (uncertain.length > 0) this', 'this', 'working-copy'],
      ['of two failed writes only the last is uncertain', '...(this.#uncertain ?? []), ', '', 'working-copy'],
      ['a copy does not hear that its changes may be written', '        this.#applied?.failed()\n', '', 'working-copy'],
    ],
  },
  {
    file: 'session/session-methods.ts',
    rows: [
      [
        'a save that fails without a callback is not told',
        'if (!callback?.length) this.#keeper.unheard(error)',
        '',
        'unawaited',
        'without a callback',
      ],
      ['what is awaited is told twice', 'if (!callback?.length) this', 'this', 'unawaited', 'nobody else is told'],
      [
        'a failure is no error for the caller',
        'if (callback) process.nextTick(callback, error)',
        'if (callback) process.nextTick(callback)',
        'connect',
        'regenerate',
      ],
      [
        'a socket regenerates its session',
        "Promise.reject(new SessionError('ERR_SESSION_OPTIONS', message))",
        'this.#keeper.destroy()',
        'connect',
        'regenerate',
      ],
    ],
  },
]
