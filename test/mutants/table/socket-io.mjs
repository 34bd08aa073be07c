/** Where Socket.IO is touched: every namespace, and every event. */
export const socketIO = [
  {
    file: 'socket-io/namespaces.ts',
    rows: [
      [
        'namespaces that are there at attach are open',
        '  for (const namespace of namespacesOf(io)) addGuard(namespace, guard, early)\n',
        '',
        'connect',
        'in middleware and connection',
      ],
      [
        'namespaces that come later are open',
        '    addGuard(namespace, guard)\n    const middlewares',
        '    const middlewares',
        'connect',
        'a namespace that comes later',
      ],
      [
        'the guard of a dynamic namespace stands last',
        'middlewares.unshift(...middlewares.splice(middlewares.indexOf(guard), 1))',
        '',
        'connect',
        'its own middlewares',
      ],
      ['who attaches twice guards twice', '  if (there.includes(guard)) return\n', '', 'options', 'attach twice'],
      [
        'children of a dynamic namespace that are there already are open',
        '[namespace, ...children]',
        '[namespace]',
        'connect',
        'attach\\(dynamic',
      ],
      [
        'children of a dynamic namespace give back what they kept',
        'if (children.has(child)) withholdRecovery(child)',
        '',
        'connect',
        'attach\\(dynamic',
      ],
      [
        'recovered connections skip the guard',
        '  neverSkipMiddlewares(serverOf(namespace))\n',
        '',
        'recovery',
        'skipMiddlewares: (undefined|true) with the cookie of another',
      ],
      [
        'what was kept is given back before the guard was asked',
        '  withholdRecovery(namespace)\n',
        '',
        'recovery',
        'with the cookie of another',
      ],

      [
        'what is no server is attached to',
        "else throw new SessionError('ERR_SESSION_OPTIONS', 'attach",
        "else void new SessionError('ERR_SESSION_OPTIONS', 'attach",
        'options',
        'attach',
      ],
    ],
  },
  {
    file: 'socket-io/private-parts.ts',
    rows: [
      [
        'a Socket.IO that is not known is guarded as if it were',
        'if (part !== undefined) return part',
        'return part as T',
        'options',
        'is not known',
      ],
      [
        'middlewares that a socket has already are lost',
        'Array.isArray(inside.fns) && inside.fns.length === 0',
        'Array.isArray(inside.fns)',
        'connect',
        'middlewares of a socket',
      ],
    ],
  },
  {
    file: 'socket-io/event-gate.ts',
    rows: [
      [
        'an event reads a session that may be stale',
        'this.#live.isCurrent(this.#options.freshFor)',
        'true',
        'fresh',
        'at the next event after freshFor',
      ],
      [
        'an event of a session that cannot be read passes',
        'failure ? next(failure) : go(next)',
        'go(next)',
        'faults/faults',
        'an event comes',
      ],
      [
        'an event of a session that has ended passes',
        '    if (live.ended) return\n',
        '',
        'mortal',
        'hears no event until then',
      ],
      [
        'a later event overtakes one that waits for a read',
        'if (this.#waiting) return void this.#waiting.push(next)',
        '',
        'rules',
        'not overtaken',
      ],
      ['the end of a session is told as a failure', 'live.ended ? undefined : ', '', 'fresh', 'a session that is gone'],
      [
        'an event extends the session with touch: false',
        'touch && live.wantsTouch',
        'live.wantsTouch',
        'mortal',
        'touch: false',
      ],
      ['every event is written as a touch', 'touch && live.wantsTouch', 'touch', 'mortal', 'on a store without touch'],
      ['no event extends the session', 'touch && live.wantsTouch', 'false', 'mortal', 'on a store without touch'],
      [
        'a touch that fails is not told',
        "live.ended || tell(error, 'touch')",
        'live.ended',
        'faults/faults',
        'touches the session while the store throws',
      ],
    ],
  },
  {
    file: 'session/room.ts',
    rows: [
      ['the name of a room tells the id', '[prefix, sha256(id)]', '[prefix, id]', 'connect', 'room\\(id\\) reaches'],
    ],
  },
]
