/**
 * The sessions of one store, and whoever uses them. Each phrase is a rule that holds however the files of this part
 * are cut: who moves the code finds the line that keeps it now.
 */
export const registry = [
  {
    file: 'registry.ts',
    rows: [
      [
        'an ended session is opened',
        '    if (this.isOver(id)) throw notFound()\n    return this.#firstReads',
        '    return this.#firstReads',
        'mortal',
        'ten minutes',
      ],
      [
        'of several users the shortest timeout counts',
        'Math.max(this.store.timeout, timeout)',
        'timeout',
        'shared-store',
        'longest timeout',
      ],
      [
        'of several users the longest recheck counts',
        'Math.min(this.#lifetime.recheck, recheck)',
        'recheck',
        'shared-store',
        'shortest recheck',
      ],
      [
        'mergeHttpSaves of one user is switched off by the next',
        'this.#httpSaves.merge ||= mergeHttpSaves',
        'this.#httpSaves.merge = mergeHttpSaves',
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
      [
        'the other nodes are told of an ending before the store has done it',
        '    this.#graves.destroying(id)\n',
        "    this.#graves.destroying(id)\n    this.emit('ending', roomOf(id), reason)\n",
        'cluster',
        'when the store has done it',
      ],
      [
        'what is heard is told again',
        '    this.#graves.bury(room)\n    const live = this.#live.inRoom(room)',
        "    this.#graves.bury(room)\n    this.emit('ending', room, reason)\n    const live = this.#live.inRoom(room)",
        'cluster',
        'not told again',
      ],
      [
        'an ending that is heard does not keep the session from being written',
        '    this.#graves.bury(room)\n    const live = this.#live.inRoom(room)',
        '    const live = this.#live.inRoom(room)',
        'overlap',
        'another node destroys',
      ],
      [
        'news of a change waits for the next read',
        '    live.outdate()\n    live.refresh()',
        '    live.refresh()',
        'overlap',
        'what another node wrote',
      ],
      [
        'a request that writes while its session is destroyed brings it back',
        '    this.#receive(id, record)\n    this.#undoIfOver(id)',
        '    this.#receive(id, record)',
        'overlap',
        'does not bring it back',
      ],
      [
        'a request that extends while its session is destroyed brings it back',
        'live.outdate()))\n    this.#undoIfOver(id)',
        'live.outdate()))',
        'mortal',
        'only extends the session',
      ],
      [
        'a session beyond JSON fails the request that writes',
        '    } catch (error) {\n      live?.outdate()',
        '    } catch (error) {\n      throw error',
        'hostile',
        'fails its own saves',
      ],
      [
        'end is told of sessions that nobody has',
        '    if (!live) return\n    this.#live.delete(live)',
        "    if (!live) this.emit('end', { sessionID: id, reason })\n    if (!live) return\n    this.#live.delete(live)",
        'mortal',
        'no socket has',
      ],
      [
        'end is told after the sockets were closed',
        "    this.emit('end', { sessionID: id, reason })\n",
        "    setImmediate(() => this.emit('end', { sessionID: id, reason }))\n",
        'mortal',
        'end is told before',
      ],
    ],
  },
]
