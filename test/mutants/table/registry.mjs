/**
 * The sessions of one store, and whoever uses them. Each phrase is a rule that holds however the files of this part
 * are cut: who moves the code finds the line that keeps it now.
 */
export const registry = [
  {
    file: 'bounded-map.ts',
    rows: [
      [
        'what is set again is older than what was set before',
        '    this.#older.delete(key)\n    this.#latest.set',
        '    if (this.#older.has(key)) this.#older.set(key, value)\n    else this.#latest.set',
        'lingering',
      ],
      ['all is forgotten at once', 'this.#older = this.#latest', 'this.#older = new Map()', 'lingering'],
      ['what has become older is not found', ' ?? this.#older.get(key)', '', 'cookie'],
      [
        'what has become older cannot be deleted',
        '    this.#latest.delete(key)\n    this.#older.delete(key)\n',
        '    this.#latest.delete(key)\n',
        'mortal',
      ],
    ],
  },
  {
    file: 'session/registry.ts',
    rows: [
      [
        'of several users the shortest timeout counts',
        'Math.max(this.store.timeout, timeout)',
        'timeout',
        'shared-store',
        'longest timeout',
      ],
      [
        'of several users the longest recheck counts',
        'Math.min(this.sessions.recheck, recheck)',
        'recheck',
        'shared-store',
        'shortest recheck',
      ],
      [
        'mergeHttpSaves of one user is switched off by the next',
        'this.#httpWrites.merge ||= mergeHttpSaves',
        'this.#httpWrites.merge = mergeHttpSaves',
        'shared-store',
        'mergeHttpSaves of one',
      ],
      [
        'each user of a store has a registry of its own',
        'registries.get(store) ?? new',
        'new',
        'shared-store',
        'lose none',
      ],
      [
        'the first user who leaves takes the store from the others',
        'if (--this.#users > 0) return\n',
        '',
        'connect',
        'close\\(\\) of one of two',
      ],
      ['the store is not given back', '    this.#restore()\n', '', 'shared-store', 'as it was'],
      [
        'what is written of a session that was destroyed is told',
        '    if (this.endings.has(live.id)) return\n',
        '',
        'group-commit',
      ],
      [
        'what an object that has ended wrote is not told to the next one',
        '    if (here !== live) here.stored.writes.wroteElsewhere()\n',
        '',
        'group-commit',
      ],
      [
        'what is heard is told again',
        '    live?.stored.observations.disturb()\n    if (live?.isHeld)',
        '    live?.stored.observations.disturb()\n    for (const peers of this.peers) peers.changed(room)\n    if (live?.isHeld)',
        'cluster',
        'not told again',
      ],
      [
        'news of a change waits for the next read',
        '    live?.stored.observations.disturb()\n    if',
        '    if',
        'overlap',
        'what another node wrote',
      ],
      [
        'news of a change waits for the next event',
        '    if (live?.isHeld) live.refreshUnheard()\n',
        '',
        'rules',
        'a read during which news',
      ],
    ],
  },
  {
    file: 'session/session-map.ts',
    rows: [
      ['who came after the first news hears none', '    this.#byRoom?.set(live.room, live)\n', '', 'model', 216],
      [
        'a session is dropped while it is used',
        'if (!live.isIdle || !this.#has',
        'if (!this.#has',
        'connect',
        'share one session object',
      ],
      [
        'a session that was written lately is dropped',
        'if (time - live.wroteAt >= recent || !this.#peers.areReachable) this.drop',
        'this.drop',
        'rules',
        'wrote just before the news',
      ],
      [
        'a session that was written lately is kept where there is no other node',
        ' || !this.#peers.areReachable',
        '',
        'shared-store',
        'clock of sessions stops',
      ],
      [
        'a session that nothing had lingers',
        'this.#lingering.get(live) ?? Number.NEGATIVE_INFINITY',
        'this.#lingering.get(live) ?? time',
        'lingering',
      ],
      ['a session lingers for ever', 'time - leftAt < this.freshFor', 'leftAt >= 0', 'lingering'],
      [
        'nobody looks when a session has lingered long enough',
        'if (live.isIdle) this.#leave(live, time)\n      else if',
        'if',
        'lingering',
      ],
      [
        'one that has ended lingers',
        'if (this.#has(live)) this.#lingering',
        'this.#lingering',
        'lingering',
        'end while they are held',
      ],
      ['any number of sessions lingers', '(mostLingering, ', '(Number.POSITIVE_INFINITY, ', 'lingering'],
      ['what lingers no longer is kept', '(live) => this.#leave(live, now()))', '() => {})', 'lingering'],
      [
        'a session that has ended counts among those that linger',
        '    this.#lingering.delete(live)\n',
        '',
        'lingering',
      ],
    ],
  },
  {
    file: 'session/room.ts',
    rows: [
      [
        'the name of a room tells the id',
        "? (text) => crypto.hash('sha256', text, 'base64url')",
        '? (text) => text',
        'connect',
        'does not contain the id',
      ],
    ],
  },
]
