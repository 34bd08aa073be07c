/** What the store holds: its answers, how long it has for them, and compare-and-set. */
const encrypts = 'that encrypts'
const on = (engine, test) => `${engine}.*${test}`

export const store = [
  {
    file: 'store/session-store.ts',
    rows: [
      ['a record that expired is a session', 'this.canTouch || !isExpired(record)', 'true', 'store'],
      [
        'a store that extends sessions by touch alone is not believed',
        'this.canTouch || !isExpired',
        '!isExpired',
        'store',
      ],
      [
        'garbage is no session, and so ends one',
        "    throw new SessionError('ERR_SESSION_STORE', 'the session store gave",
        "    return undefined\n    throw new SessionError('ERR_SESSION_STORE', 'the session store gave",
        'store',
      ],
      ['a key document of zappajs is garbage', '!record || isKeyDocument(record)', '!record', 'store'],
      [
        'what comes with the word that a file is missing is a session',
        '(error ? undefined : answer)',
        'answer',
        'store',
      ],
      ['who has an answer still waits', '        this.deadlines.end(deadline)\n', '', 'store'],
      ['what cannot be read goes through', '          reject(invalid)', '          throw invalid', 'store'],
      ['a store may take any time', "reject(new SessionError('ERR_SESSION_TIMEOUT', message))", 'undefined', 'store'],
      ['a promise that is called back with is the answer', 'if (isThenable(answer))', 'if (false)', 'store'],
      [
        'a promise that is returned is not heard',
        'if (isThenable(returned)) returned.then(undefined, (error) => done(error || unknown))',
        '',
        'store',
      ],
      ['a rejection without an error is none', '(error) => done(error || unknown)', '(error) => done(error)', 'store'],
      ['a broken promise without an error is none', 'done(failure || unknown)', 'done(failure)', 'store'],
      [
        'what is thrown without an error is none',
        '    } catch (error) {\n        done(error || unknown)',
        '    } catch (error) {\n        done(error)',
        'store',
      ],
      [
        'what a store throws goes through',
        '    } catch (error) {\n        done(error || unknown)',
        '    } catch (error) {\n        throw error',
        'store',
      ],
      [
        'a record that cannot be inflated goes through',
        "throw failure('createSession', error)",
        'throw error',
        'store',
      ],
      ['a compare-and-set that failed has written', 'atomic ? Boolean : () => true', '() => true', 'store'],
      [
        'what comes late is told to nobody',
        'if (isLate) return late?.(failed ? error : undefined)',
        'if (isLate) return undefined',
        'store',
      ],
      ['what fails late is told as done', 'late?.(failed ? error : undefined)', 'late?.()', 'store'],
      ['what comes in time is told as late', 'let isLate = false', 'let isLate = true', 'store'],
      [
        'a write that the store makes within its own is one of another',
        "asOwnCall(session, () => this.#call('set'",
        "((_: unknown, work: () => Promise<boolean>) => work())(session, () => this.#call('set'",
        'rules',
        'known by that',
      ],
    ],
  },
  {
    file: 'store/record.ts',
    rows: [
      ['a key document of zappajs is a session', ' && !isKeyDocument(record)\n', '\n', 'store'],
      ['a file that is missing is a failure', "?.code === 'ENOENT'", "?.code === ''", 'store'],
    ],
  },
  {
    file: 'store/observer.ts',
    rows: [
      ['a write of our own is one of another', 'inOwnCall.has(Object(session))', 'false', 'rules', 'known by that'],
      ['whoever has written once writes unseen', '    inOwnCall.delete(session)\n', '', 'rules', 'by hand'],
    ],
  },
  {
    file: 'store/deadlines.ts',
    rows: [
      ['a deadline that is over keeps its closure', '    deadline.expire = undefined\n', '', 'store'],
      ['a deadline that is over is kept', '    this.#waiting.delete(deadline)\n', '', 'store'],
      ['who began later expires with who began first', 'if (deadline.at > now) break', '', 'store'],
      ['who began later never expires', 'next && this.#check(Math.max(1, next.at - now))', 'undefined', 'store'],
      ['a call that waits keeps the process alive', ', milliseconds).unref()', ', milliseconds)', 'store'],
    ],
  },
  {
    file: 'store/compare-and-set.ts',
    rows: [
      ['a store that was changed is passed by', 'if (!isUnmodified(store)) return undefined', '', 'stores', encrypts],
      ['a store is unmodified if one method is', 'others.every((each) => each === owner)', 'true', 'stores', encrypts],
      ['a store that was wrapped is unmodified', 'owner !== store && ', '', 'stores', encrypts],
      [
        'a class that overrides all methods is unmodified',
        " && !('get' in Object(Object.getPrototypeOf(owner)))",
        '',
        'stores',
        encrypts,
      ],
    ],
  },
  {
    file: 'store/redis.ts',
    rows: [
      [
        'Redis: writes onto what another program wrote',
        "if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end",
        '',
        'stores',
        on('connect-redis', 'another program'),
      ],
      [
        'Redis: a session that is over stays for ever',
        'Math.max(1, Math.ceil(seconds))',
        'Math.ceil(seconds)',
        'stores',
        on('connect-redis', 'as one that is over'),
      ],
    ],
  },
  {
    file: 'store/sql.ts',
    rows: [
      [
        'MySQL: writes onto what another program wrote',
        ' AND BINARY ?? = ?',
        ' AND (BINARY ?? = ? OR TRUE)',
        'stores',
        on('MariaDB', 'another program'),
      ],
      ['MySQL: compares without case', 'AND BINARY ?? = ?', 'AND ?? = ?', 'stores', on('MariaDB', 'another program')],
      [
        'MySQL: finds a session that expired',
        "WHERE ?? = ? AND ?? >= ?'",
        "WHERE ?? = ? AND (?? >= ? OR TRUE)'",
        'stores',
        on('MariaDB', 'expires'),
      ],
      [
        'PostgreSQL: writes onto what another program wrote',
        "let isSame = 'sess::text = $4'",
        "let isSame = '$4::text IS NOT NULL'",
        'stores',
        on('PostgreSQL', 'another program'),
      ],
      [
        'PostgreSQL: of a column of type jsonb every second update is refused',
        "if (row?.isBinary) isSame = 'sess = $4'",
        '',
        'nodes/versions',
        'jsonb',
      ],
      [
        'PostgreSQL: finds a session that expired',
        'AND expire >= to_timestamp($2)',
        'AND to_timestamp($2) IS NOT NULL',
        'stores',
        on('PostgreSQL', 'expires'),
      ],
    ],
  },
]
