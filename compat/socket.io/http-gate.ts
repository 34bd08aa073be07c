/**
 * Asks before there is a connection, as 0.9 did: by Engine.IO's `allowRequest`, so that who is refused gets HTTP 403 and
 * nothing else. Who decides is `authorization.ts`.
 */
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Server, Socket } from 'socket.io'

type Handshake = Socket['handshake']
type AllowRequest = NonNullable<Server['engine']['opts']['allowRequest']>
/** Resolves to whether an authorizer was asked; rejects with what the client is to be told. */
type Examine = (handshake: Handshake, request: IncomingMessage) => Promise<boolean>

/** @returns the handshakes that an authorizer has let in, by their request; any other connection is still to be asked */
export function guardHttp(io: Server, examine: Examine): WeakMap<object, Handshake> {
  const admitted = new WeakMap<object, Handshake>()
  const ours: AllowRequest = (request, answer) => {
    const handshake = handshakeOf(request)
    examine(handshake, request).then(
      (asked) => {
        if (asked) admitted.set(request, handshake)
        answer(null, true)
      },
      (error: Error) => answer(error.message, false),
    )
  }
  forEachEngine(io, ({ opts }) => {
    opts.allowRequest = after(opts.allowRequest, ours)
  })
  return admitted
}

/** The app's own comes first, and its no is final. */
function after(theirs: AllowRequest | undefined, ours: AllowRequest): AllowRequest {
  if (!theirs) return ours
  return (request, answer) =>
    theirs(request, (error, allowed) => (allowed ? ours(request, answer) : answer(error, false)))
}

/** Whichever way the server comes by its engine, now or later, `bind` is how. */
function forEachEngine(io: Server, install: (engine: Server['engine']) => void): void {
  const bind = io.bind
  io.bind = (engine) => {
    const bound = bind.call(io, engine)
    install(io.engine)
    return bound
  }
  if (io.engine) install(io.engine)
}

/** As Socket.IO makes it for a socket. The client's `auth` comes later, with its first packet. */
function handshakeOf(request: IncomingMessage): Handshake {
  const { headers, socket, url = '' } = request
  return {
    headers,
    time: String(new Date()),
    address: socket.remoteAddress ?? '',
    xdomain: Boolean(headers.origin),
    secure: Boolean((socket as TLSSocket).encrypted),
    issued: Date.now(),
    url,
    query: (request as { _query?: Handshake['query'] })._query ?? {},
    auth: {},
  } as Handshake
}
