/** What nodes tell each other. */
export const cluster = [
  {
    file: 'socket-io/cluster.ts',
    rows: [
      [
        'the batch of changes is never cleared',
        'this.#send({ changed: [...this.#changed] })\n    this.#changed.clear()',
        'this.#send({ changed: [...this.#changed] })',
        'cluster',
      ],
      [
        'each change of a burst is told',
        'if (this.#changed.size === 0) setImmediate(() => this.#flush())\n    this.#changed.add(room)',
        'this.#changed.add(room)\n    this.#flush()',
        'cluster',
        'in a turn',
      ],
      [
        'an adapter that throws ends the process',
        '      } catch (cause) {\n',
        '      } catch (cause) {\n        throw cause\n',
        'unawaited',
        'cluster:',
      ],
      ['both the adapter and the emitter tell', 'servers.length === 0 && this.#emitter', 'this.#emitter', 'cluster'],
      [
        'nobody tells for a process without a server',
        'servers.length === 0 && this.#emitter ? [this.#emitter] : servers',
        'servers',
        'cluster',
      ],
      [
        'news that is malformed ends the process',
        'Array.isArray(value) ? value : []',
        'value as unknown[]',
        'cluster',
        'malformed',
      ],
      ['news of no object ends the process', 'Object(news) as', 'news as', 'cluster', 'malformed'],
      ['an ending for any reason is believed', ' && isEndReason(reason)', '', 'cluster', 'a reason that there is not'],

      ['a server that is joined twice is heard twice', '    if (this.servers.has(io)) return\n', '', 'cluster'],
      [
        'who is closed still hears',
        '    for (const io of this.servers) io.off(eventName, this.#hear)\n',
        '',
        'cluster',
      ],
      ['who is closed still tells', '    this.#registry.peers.delete(this)\n', '', 'cluster'],
      [
        'what changed in the turn of close() is not told',
        '    this.#registry.peers.delete(this)\n    this.#flush()\n',
        '    this.#registry.peers.delete(this)\n',
        'cluster',
        'in that turn',
      ],
    ],
  },
  {
    file: 'session/registry.ts',
    rows: [['the id is told', 'peers.changed(live.room)', 'peers.changed(live.id)', 'cluster', 'a burst']],
  },
  {
    file: 'socket-io/private-parts.ts',
    rows: [
      ['the adapter in memory is asked, and warns', "owner.constructor.name !== 'Adapter'", 'true', 'cluster'],
      [
        'an adapter in memory that keeps what was missed is asked, and warns',
        "  while (owner && !Object.hasOwn(owner, 'serverSideEmit')) owner = Object.getPrototypeOf(owner)\n",
        '',
        'cluster',
      ],
    ],
  },
]
