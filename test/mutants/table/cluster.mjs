/** What nodes tell each other. */
export const cluster = [
  {
    file: 'cluster.ts',
    rows: [
      [
        'the batch of changes is never cleared',
        'this.#send({ changed: [...this.#changed] })\n    this.#changed.clear()',
        'this.#send({ changed: [...this.#changed] })',
        'cluster',
      ],
      [
        'each change of a burst is told',
        'if (this.#changed.size === 0) setImmediate(() => this.#flush())\n    this.#changed.add(roomOf(id))',
        'this.#changed.add(roomOf(id))\n    this.#flush()',
        'cluster',
        'in a turn',
      ],
      ['the id is told', 'this.#changed.add(roomOf(id))', 'this.#changed.add(id)', 'cluster', 'a burst'],
      [
        'an adapter that throws ends the process',
        '      } catch (cause) {\n',
        '      } catch (cause) {\n        throw cause\n',
        'unawaited',
        'cluster:',
      ],
      ['both the adapter and the emitter tell', 'channels.length === 0 && this.#emitter', 'this.#emitter', 'cluster'],
      [
        'nobody tells for a process without a server',
        'if (channels.length === 0 && this.#emitter) channels.push(this.#emitter)',
        '',
        'cluster',
      ],
      ['the adapter in memory is asked, and warns', "owner.constructor.name !== 'Adapter'", 'true', 'cluster'],
      [
        'news that is malformed ends the process',
        'Array.isArray(value) ? value : []',
        'value as unknown[]',
        'cluster',
        'malformed',
      ],
      ['news of no object ends the process', 'Object(news) as', 'news as', 'cluster', 'malformed'],
      ['an ending for any reason is believed', ' && isReason(reason)', '', 'cluster', 'a reason that there is not'],
      ['a server that is joined twice is heard twice', '    if (this.#servers.has(io)) return\n', '', 'cluster'],
      [
        'who is closed still hears',
        '    for (const io of this.#servers) io.off(eventName, this.#hear)\n',
        '',
        'cluster',
      ],
      ['who is closed still tells of changes', "    this.#registry.off('changed', this.#tellChanged)\n", '', 'cluster'],
      ['who is closed still tells of endings', "    this.#registry.off('ending', this.#tellEnded)\n", '', 'cluster'],
    ],
  },
]
