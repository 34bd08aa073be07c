/** What the store holds: its answers, how long it has for them, and compare-and-set. */
const encrypts = 'that encrypts'
const on = (engine, test) => `${engine}.*${test}`

export const store = [
  {
    file: 'store.ts',
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
      ['a key document of zappajs is a session', ' && !isKeyDocument(record)\n', '\n', 'store'],
      ['a key document of zappajs is garbage', '!record || isKeyDocument(record)', '!record', 'store'],
      ['a file that is missing is a failure', "?.code === 'ENOENT'", "?.code === ''", 'store'],
      [
        'the answer of a failed call is its last',
        'this.#deadlines.end(deadline)\n        if (error && ',
        'if (error && ',
        'store',
      ],
      ['a store may take any time', 'reject(timeoutError(method, timeout))', 'undefined', 'store'],
      ['a promise that is called back with is the answer', 'if (isThenable(answer)) {', 'if (false) {', 'store'],
      [
        'a promise that is returned is not heard',
        'if (isThenable(returned)) returned.then(undefined, fail)',
        '',
        'store',
      ],
      ['a failure without an error is none', "error || new Error('failed without an error')", 'error', 'store'],
      [
        'what a store throws goes through',
        '    } catch (error) {\n        fail(error)',
        '    } catch (error) {\n        throw error',
        'store',
      ],
      [
        'a record that cannot be inflated goes through',
        "throw storeError('createSession', error)",
        'throw error',
        'store',
      ],
      [
        'a compare-and-set that failed has written',
        "return this.#promise('set', () => atomic.setVersioned(id, data, version))",
        "return this.#promise('set', () => atomic.setVersioned(id, data, version)).then(() => true)",
        'store',
      ],
    ],
  },
  {
    file: 'deadlines.ts',
    rows: [
      ['a deadline that is over keeps its closure', '    deadline.expire = undefined\n', '', 'store'],
      ['a deadline that is over is kept', '    this.#waiting.delete(deadline)\n', '', 'store'],
      ['who began later expires with who began first', 'if (deadline.at > now) break', '', 'store'],
      ['who began later never expires', 'next && this.#check(Math.max(1, next.at - now))', 'undefined', 'store'],
      ['a call that waits keeps the process alive', ', milliseconds).unref()', ', milliseconds)', 'store'],
    ],
  },
  {
    file: 'atomic.ts',
    rows: [
      ['a store that was changed is passed by', 'if (!isUnmodified(store)) return undefined', '', 'stores', encrypts],
      ['a store is unmodified if one method is', 'owners.every((each) => each === owner)', 'true', 'stores', encrypts],
      ['a store that was wrapped is unmodified', 'owner !== store && ', '', 'stores', encrypts],
      [
        'a class that overrides all methods is unmodified',
        " && !('get' in Object(Object.getPrototypeOf(owner)))",
        '',
        'stores',
        encrypts,
      ],
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
        'AND sess::text = $4',
        'AND $4::text IS NOT NULL',
        'stores',
        on('PostgreSQL', 'another program'),
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
