/** The calls of `HandshakeSessions`, and what they do after `close()`. */
export const handshakeSession = [
  {
    file: 'handshake-session.ts',
    rows: [
      [
        'attach guards after close()',
        '  attach(target: ServerLike | NamespaceLike): this {\n    this.#admission.assertOpen()',
        '  attach(target: ServerLike | NamespaceLike): this {',
        'connect',
        'after close',
      ],

      [
        'revoke destroys after close()',
        "= 'revoked'): Promise<void> {\n    this.#admission.assertOpen()",
        "= 'revoked'): Promise<void> {",
        'connect',
        'after close',
      ],

      ['revoke takes any reason', 'checkReason(reason)', 'reason', 'mortal', 'revoke and room'],
      ['there is a room of no id', 'roomOf(checkID(id))', 'roomOf(id)', 'mortal', 'revoke and room'],
      [
        'a request without a session gets a ticket',
        "!request?.session || typeof request.sessionID !== 'string'",
        'false',
        'ticket',
        'without a session',
      ],

      [
        'who is closed twice takes the store from others',
        'if (this.#admission.isClosed) return\n',
        '',
        'connect',
        'close\\(\\) of one of two',
      ],
      [
        'what is attached to twice is watched twice',
        '    if (this.#attached.has(target)) return this\n',
        '',
        'options',
        'attach twice',
      ],
      ['nobody is closed', 'this.#admission.isClosed = true', '', 'connect', 'after close'],
      ['the store stays observed', '    this.#registry.leave()\n', '', 'connect', 'after close\\(\\) nobody is let in'],
      [
        'who is closed is told the errors of others',
        "    this.#registry.off('unheard', this.#tell)\n",
        '',
        'unawaited',
        'who was closed',
      ],
      [
        'an `end` listener that throws ends the process',
        "    } catch (error) {\n      this.#tell(error, 'end')",
        '    } catch (error) {\n      throw error',
        'unawaited',
        'end:',
      ],
      [
        'an `end` listener that rejects ends the process',
        'captureRejections: true',
        'captureRejections: false',
        'unawaited',
        'end:',
      ],
      [
        'authorize is not asked',
        '      authorize &&\n      new Authorization(',
        '      undefined &&\n      new Authorization(',
        'authorize',
        'false refuses',
      ],
      [
        'a socket of another namespace is closed',
        'this.#attached.has(serverOf(nsp))',
        'true',
        'authorize',
        'only the sockets of that namespace',
      ],
      ['changes are told after close()', '    this.#authorization?.close()\n', '', 'authorize', 'after close'],
      ['cors of the server is not known', 'corsOf(io) ?? []', '[]', 'refusals', 'cors.origin: that origin'],
    ],
  },
  {
    file: 'errors/tell.ts',
    rows: [
      [
        'an onError that throws ends the handshake',
        'const tellApp = async () => onError?.(told, { stage })',
        'const answer: unknown = onError?.(told, { stage })\n    const tellApp = async () => answer',
        'unawaited',
        'onError',
      ],
      [
        'an onError that rejects ends the process',
        "tellApp().catch((failure) => debug('onError itself failed: %o', failure))",
        'tellApp()',
        'unawaited',
        'onError',
      ],
      ['errors are told to nobody', 'onError?.(told, { stage })', 'undefined', 'unawaited', 'handshake'],
    ],
  },
  {
    file: 'handshake/identify.ts',
    rows: [
      [
        'an id of any type is one',
        "typeof id === 'string' && id !== ''",
        "typeof id === 'string'",
        'options',
        'update',
      ],
      ['an empty id is one', "typeof id === 'string' && id !== ''", "id !== ''", 'options', 'update'],
    ],
  },
]
