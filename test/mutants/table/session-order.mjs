/**
 * The order of work on a session, its reads, and its clock. Each phrase is a rule that holds however the files of this
 * part are cut: who moves the code finds the line that keeps it now.
 */
export const sessionOrder = [
  {
    file: 'lanes.ts',
    rows: [
      [
        'an update that is awaited inside another hangs for ever',
        'this.patience).unref()',
        '2 ** 31 - 1).unref()',
        'lossless',
        'awaited inside',
      ],
      [
        'work on a session runs side by side',
        '      await next.start()',
        '      next.start()',
        'lossless',
        'one after another',
      ],
    ],
  },
  {
    file: 'turns.ts',
    rows: [
      [
        'the record of one of two requests that wrote at once is believed',
        'return !others.haveOverlapped',
        'return true',
        'overlap',
        'what lands last of two',
      ],
      [
        'a request whose write is never answered is waited for',
        'const deadline = this.#deadlines.begin(() => done(), this.patience)',
        'const deadline = this.#deadlines.begin(() => {}, this.patience)',
        'overlap',
        'never answers keeps nobody',
      ],
    ],
  },
  {
    file: 'first-reads.ts',
    rows: [
      [
        'callers at the same time do not share a read',
        'this.#reads.get(id)?.opened ?? this.#begin(id)',
        'this.#begin(id)',
        'flood',
        'one valid cookie',
      ],
      [
        'a session that ends while it is first read is let in',
        '!record || read.isOver',
        '!record',
        'mortal',
        'while it is first read',
      ],
      [
        'what is saved while a session is first read is missed',
        'read.newer ?? record',
        'record',
        'fresh',
        'while the handshake reads',
      ],
      [
        'who asks again in the same turn gets the old refusal',
        '      this.#reads.delete(id) // At once',
        '      // At once',
        'unusual',
        'in the same turn',
      ],
    ],
  },
  {
    file: 'lifetime.ts',
    rows: [
      [
        'the clock keeps the process alive',
        'this.recheck / 2))).unref()',
        'this.recheck / 2)))',
        'shared-store',
        'keeps no process alive',
      ],
      [
        'the clock runs when there is no session',
        'if (this.#sessions.size === 0) this.stop()',
        '',
        'shared-store',
        'stops when',
      ],
      [
        'an idle session is not read again',
        'now - Math.max(live.readAt, live.askedAt) >= this.recheck || ',
        '',
        'fresh',
        'within recheck',
      ],
      [
        'an idle session that expired is not asked for',
        '(live.isExpired && now - live.askedAt >= precision)',
        'false',
        'mortal',
        'expiry, idle',
      ],
      [
        'an idle session that cannot be read is not told',
        'live.ended || this.#failed(error)',
        'live.ended',
        'unawaited',
        'refresh:',
      ],
    ],
  },
]
