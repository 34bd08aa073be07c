/** What a lost connection gets back, and who gets it. */
export const recovery = [
  {
    file: 'socket-io/recovery.ts',
    rows: [
      ['rooms are given back at once', 'rooms: [], data: {}', 'data: {}', 'recovery', 'before the guard'],
      ['data is given back at once', 'rooms: [], data: {}', 'rooms: []', 'recovery', 'before the guard'],
      ['packets are sent at once', ', missedPackets: [] }', ' }', 'recovery', 'with the cookie of another'],

      [
        'whoever knows the private id is the owner',
        'if (!isTheirs) return renew(socket, kept)',
        '',
        'recovery',
        'with the cookie of another',
      ],
      [
        'who comes back without a session gets that of before',
        '!kept.rooms.some(isOthers)',
        'true',
        'recovery',
        'without its cookie',
      ],
      [
        'what one guard gave back is no obstacle for another',
        ' && !kept.agreed.includes(each)',
        '',
        'recovery',
        'the owner of one',
      ],
      [
        'a namespace that is guarded twice sends twice',
        '  if (watched.has(namespace)) return\n',
        '',
        'recovery',
        'the owner of both',
      ],
      [
        'packets are sent before the connection stands, and so are lost',
        '  return socket.join(kept.rooms)',
        '  replay(socket)\n  return socket.join(kept.rooms)',
        'recovery',
        'the rightful owner',
      ],
      [
        'packets of the meantime are lost',
        'now?.missedPackets.slice(kept.missedPackets.length) ?? []',
        '[]',
        'recovery',
        'what is broadcast while',
      ],
      ['packets are sent twice', '.slice(kept.missedPackets.length)', '', 'recovery', 'what is broadcast while'],
      ['packets carry an offset of their own', 'packet.slice(0, -1)', 'packet', 'recovery', 'the rightful owner'],
      [
        'a stranger keeps the id of the owner',
        '  replaceIDs(socket, id, pid)\n',
        '',
        'recovery',
        'with the cookie of another',
      ],
      ['a stranger counts as recovered', 'recovered: false, ', '', 'recovery', 'with the cookie of another'],
      [
        'a stranger takes rooms from the owner who is back',
        'if (wasGivenBack) socket',
        'socket',
        'recovery',
        'a stranger who knows',
      ],
      [
        'what one guard gave back stays when another refuses',
        'if (wasGivenBack) socket.nsp.adapter.delAll(socket.id)',
        '',
        'recovery',
        'one that lost one of them',
      ],

      [
        'a new connection is not in the rooms of those who agreed',
        'return socket.join(agreed)',
        'return socket.join([])',
        'recovery',
        'one that lost one of them',
      ],
    ],
  },
  {
    file: 'socket-io/private-parts.ts',
    rows: [
      [
        'an adapter that is set later is not watched',
        '    init?.call(namespace)\n    work()\n',
        '    init?.call(namespace)\n',
        'recovery',
        'set after attach',
      ],
      [
        'a new connection waits for ever under its old id',
        '  connecting?.delete(socket.id)\n',
        '',
        'recovery',
        'with the cookie of another',
      ],
    ],
  },
]
