/**
 * One session: how it is read, saved, updated and touched. Each phrase is a rule that holds however the files of this
 * part are cut: who moves the code finds the line that keeps it now.
 */
export const session = [
  {
    file: 'live-session.ts',
    rows: [
      [
        'a read that was overtaken is believed',
        'if (version === this.#version) this.receive(record)',
        'this.receive(record)',
        'fresh',
        'not undone by the older answer',
      ],
      [
        'news is forgotten when the read that it asked for fails',
        'this.isOutdated ||= wasOutdated',
        'undefined',
        'overlap',
        'also when the store failed',
      ],
      [
        'a read that began before the news answers it',
        'this.isOutdated && this.#refreshing !== undefined',
        'false',
        'overlap',
        'when an older read',
      ],
      [
        'a save that was given up stands in the way of the next',
        'if (this.#nextSave === save) this.#nextSave = undefined',
        '',
        'lossless',
        'a turn that never comes',
      ],
      ['a save without a change writes', 'if (this.#copy.isChanged) await', 'await', 'lossless', 'without a change'],
      [
        'an update does not see what is not saved yet',
        '        draft.apply(this.#copy)\n',
        '',
        'lossless',
        'not saved yet, and writes',
      ],
      [
        'an update starts over for ever',
        'for (let attempt = 0; attempt < maxAttempts; attempt++)',
        'for (let attempt = 0; ; attempt++)',
        'lossless',
        'again and again',
      ],
      [
        'an update that is nested saves by itself',
        'save: async () => {},\n      refresh: async () => {},\n      destroy: () => this.destroy()',
        'save: () => this.save(),\n      refresh: async () => {},\n      destroy: () => this.destroy()',
        'lossless',
        'on the session of an update',
      ],
      [
        'a short session is touched once a minute',
        'Math.min(touchInterval, tenth)',
        'touchInterval',
        'mortal',
        'ten times maxAge',
      ],
    ],
  },
  {
    file: 'stored-session.ts',
    rows: [
      [
        'a session that the store has no longer lives on',
        '    this.home.gone(this.id, this.goneBecause())\n',
        '',
        'mortal',
        'deletion by another program, idle',
      ],
      [
        'a write that lands after the end is not undone',
        'if (this.home.isOver(this.id)) await this.home.store.destroy(this.id)',
        '',
        'mortal',
        'is undone',
      ],
      [
        'a write that lands after the end has succeeded',
        '    if (this.isOver) throw notFound()\n  }',
        '  }',
        'mortal',
        'is undone, and fails',
      ],
      [
        'a write of ours overwrites what a request writes meanwhile',
        'const mustWait = turn.isOvertaken && attempt < politeAttempts\n        return !mustWait',
        'const mustWait = false\n        return !mustWait',
        'lossless',
        'between the read and the write',
      ],
      [
        'an update overwrites a key that was written meanwhile',
        'this.rebase(copy, record).length === 0 && ',
        'this.rebase(copy, record).length >= 0 && ',
        'lossless',
        'overtaken by another writer',
      ],
      [
        'a session that could not be destroyed is over',
        '      this.home.survived(this.id)\n',
        '',
        'mortal',
        'could not destroy',
      ],
      ['a session is destroyed before it is over', '    this.home.end(this.id, reason)\n', '', 'mortal', 'revoke'],
      ['a save extends nothing', 'copy.session.touch() // As', '// As', 'lossless', 'a save extends'],
    ],
  },
]
