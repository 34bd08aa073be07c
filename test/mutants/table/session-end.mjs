/**
 * What keeps a session that has ended from coming back, and what is seen of the store. Each phrase is a rule that
 * holds however the files of this part are cut: who moves the code finds the line that keeps it now.
 */
export const sessionEnd = [
  {
    file: 'graves.ts',
    rows: [
      [
        'of two destroys that are on their way the first that fails decides',
        'this.#dig(roomOf(id)).pending++',
        'this.#dig(roomOf(id))',
        'overlap',
        'destroy',
      ],
      ['a destroy that fails undoes one that succeeded', ' && !grave.isEmpty', '', 'overlap', 'destroy'],
      [
        'a session that the store could not destroy is over all the same',
        'this.exhume(id)\n',
        'undefined\n',
        'mortal',
        'could not destroy',
      ],
      ['endings are remembered for ever', 'since - other.since < memory && ', '', 'mortal', 'ten minutes'],
      ['any number of endings is remembered', ' && this.#graves.size <= most', '', 'mortal', 'the last 100,000'],
    ],
  },
  {
    file: 'http-saves.ts',
    rows: [
      [
        'a request that read the session before it was destroyed saves it',
        "      this.#home.unheard(notFound(), 'save')\n      return Promise.resolve()",
        '      return undefined',
        'lossless',
        'after the logout',
      ],
      [
        'what a request wanted to save of an ended session is not told',
        "      this.#home.unheard(notFound(), 'save')\n",
        '',
        'unawaited',
        'mergeHttpSaves: false',
      ],
      [
        'a new session under an ended id is not saved',
        '      this.#graves.exhume(id)\n',
        '',
        'mortal',
        'a new session under',
      ],
      [
        'a session that was read counts as new',
        ' && !this.#inflated.has(session)',
        '',
        'lossless',
        'created in a slow request',
      ],
      [
        'mergeHttpSaves writes the whole copy',
        "return copy && method === 'set' ? this.#write(id, copy) : undefined",
        'return undefined',
        'lossless',
        'mergeHttpSaves',
      ],
      [
        'a request fails because its session ended meanwhile',
        "if ((error as { code?: unknown }).code !== 'ERR_SESSION_NOT_FOUND') throw error",
        'throw error',
        'unawaited',
        'another program',
      ],
    ],
  },
  {
    file: 'store-events.ts',
    rows: [
      [
        'a file that is missing has survived its destruction',
        'error && !isMissing(error) ? ',
        'error ? ',
        'cluster',
        'has no longer',
      ],
      [
        'sockets are closed before the new cookie is out',
        'regenerating.set(idOf(request), answered(request))',
        'regenerating.set(idOf(request), undefined)',
        'mortal',
        'when the response is out',
      ],
      [
        'a response that is over is waited for',
        '!response || response.writableFinished || response.destroyed',
        '!response',
        'mortal',
        'was aborted',
      ],
      [
        'a regenerate is told as a logout',
        "regenerating.has(key) ? 'regenerated' : 'destroyed'",
        "'destroyed'",
        'mortal',
        'regenerate',
      ],
      [
        'a store that was wrapped again loses that on close()',
        '    if (store[name] !== wrapped) return\n',
        '',
        'shared-store',
        'as it was',
      ],
      [
        'a method of its own is gone from the store after close()',
        'if (wasOwn) store[name] = original\n    else delete',
        'delete',
        'shared-store',
        'as it was',
      ],
      [
        'a store without a callback fails unheard',
        '    if (failure) throw failure\n',
        '',
        'hostile',
        'without a callback',
      ],
      [
        'a store that only rejects is waited for',
        'if (isThenable(returned)) returned.then(undefined, answered)',
        '',
        'overlap',
        'only rejects',
      ],
      [
        'a store that throws is waited for',
        '    answered(error)\n    throw error',
        '    throw error',
        'overlap',
        'throws keeps nobody',
      ],
      [
        'a session is taken over as it is when the store answers',
        'JSON.parse(JSON.stringify(session))',
        'session',
        'fresh',
        'what is saved is what',
      ],
    ],
  },
]
