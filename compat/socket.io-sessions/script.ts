/**
 * Serves `<path>/socket.io-sessions.js` in front of Socket.IO: the browser script of `compat/browser`, and before it the
 * line `var CONNECT_SID = "…";` with a token for the visitor's session. To pages of its own origin only.
 */
import { readFileSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { checkOrigin } from '../../src/internals'

/** The part of a Socket.IO `Server` that is used. */
export interface ScriptServer {
  httpServer?: Server
  path(): string
  attach(...args: unknown[]): unknown
}

type TokenFor = (request: IncomingMessage) => Promise<string>
type Tell = (error: unknown) => void
type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>

const browserScript = readFileSync(
  join(dirname(require.resolve('handshake-session/package.json')), 'compat', 'browser', 'socket.io-sessions.js'),
  'utf8',
)

/** @param tokenFor undefined where pages know the session id by themselves: the script alone is served. */
export function serveScript(io: ScriptServer, tokenFor: TokenFor | undefined, tell: Tell): void {
  whenAttached(io, (server) => {
    intercept(
      server,
      ({ method, url }) => method === 'GET' && url?.split('?')[0] === `${io.path()}/socket.io-sessions.js`,
      async (request, response) => send(response, await writeScript(request, tokenFor, tell)),
    )
  })
}

/** The script, or undefined for a page of another site. A visitor without a session gets one with an empty `CONNECT_SID`. */
async function writeScript(request: IncomingMessage, tokenFor: TokenFor | undefined, tell: Tell) {
  try {
    await checkOrigin(request, undefined, () => [])
  } catch (refusal) {
    return void tell(refusal)
  }
  if (!tokenFor) return browserScript
  const token = await tokenFor(request).catch((error: unknown) => {
    tell(error)
    return ''
  })
  return `var CONNECT_SID = ${quote(token)};\n${browserScript}`
}

function send(response: ServerResponse, script: string | undefined): void {
  const body = script ?? ''
  response.writeHead(script === undefined ? 403 : 200, {
    'Content-Type': 'text/javascript; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    Vary: 'Cookie',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  })
  response.end(body)
}

/** A JavaScript string that stays one inside a `<script>` and in old engines. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[<\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A Socket.IO server gets its HTTP server in the constructor, or later by `attach` or `listen`, which calls it. */
function whenAttached(io: ScriptServer, use: (server: Server) => void): void {
  if (io.httpServer) {
    use(io.httpServer)
    return
  }
  const { attach } = io
  io.attach = (...args) => {
    io.attach = attach
    const returned = attach.apply(io, args)
    whenAttached(io, use)
    return returned
  }
}

/** Puts `answer` in front of the listeners that are there, as Socket.IO does for its own script. */
function intercept(server: Server, wants: (request: IncomingMessage) => boolean, answer: Answer): void {
  const others = server.listeners('request') as ((...args: unknown[]) => void)[]
  server.removeAllListeners('request')
  server.on('request', (request, response) => {
    if (wants(request)) answer(request, response)
    else for (const other of others) other.call(server, request, response)
  })
}
