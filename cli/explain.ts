/**
 * `HandshakeSessions#explain` away from the app: what this process cannot know (the sessions in the app's memory, the
 * server's `cors.origin`, without options the store) is said, not guessed.
 */
import type { IncomingHttpHeaders } from 'node:http'
import {
  type Explanation,
  type HandshakeSessionOptions,
  type HandshakeSessions,
  handshakeSession,
  type SessionMiddleware,
  type StoreLike,
} from '../src'
import { MiddlewareVerifier } from '../src/handshake/middleware'

/** What the app gives to `handshakeSession`, of the first form or the second. */
export interface Given extends Partial<HandshakeSessionOptions> {
  middleware?: SessionMiddleware
}

/** @throws SessionError `ERR_SESSION_OPTIONS` */
export async function explainOffline(
  headers: IncomingHttpHeaders,
  given: Given,
): Promise<{ text: string; exitCode: number }> {
  const sessions = sessionsOf(given)
  const explanation = await awake(sessions.explain({ headers }))
  sessions.close()
  const isUndecided = !given.middleware && given.store === undefined && explanation.steps.at(-1)?.step === 'session'
  const steps = explanation.steps.map(({ ok, step, detail }) => line(ok ? '✓' : '✗', step, detail))
  if (isUndecided) steps.splice(-1, 1, line('?', 'session', 'not looked up: there is no store (see --options)'))
  const verdict = isUndecided ? 'Nothing found against it; whether the session exists was not seen' : say(explanation)
  const all = [...steps, '', verdict, ...limits(explanation, given)]
  return { text: `${all.join('\n')}\n`, exitCode: explanation.accepted || isUndecided ? 0 : 1 }
}

function sessionsOf({ middleware, ...options }: Given): HandshakeSessions {
  if (middleware) return handshakeSession(middleware, options)
  const store = options.store ?? emptyStore
  const sessions = handshakeSession({ ...options, store } as HandshakeSessionOptions)
  // express-session marks its store with this. That there is none in this process is no misconfiguration of the app.
  Object.assign(store, { generate: () => {} })
  return sessions
}

const emptyStore: StoreLike = { get: (_id, done) => done(null), set: () => {}, destroy: () => {} }

/** Keeps the process until then: a store that does not answer, and the timer that says so, would not. */
async function awake<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 60_000)
  return work.finally(() => clearInterval(timer))
}

/** Further lines of a detail stand under its first. */
function line(mark: string, step: string, detail: string): string {
  return `${mark} ${step.padEnd(9)}  ${detail.replaceAll('\n', `\n${' '.repeat(13)}`)}`
}

function say({ accepted, code }: Explanation): string {
  if (accepted) return code ? `Accepted without a session (required: false): ${code}` : 'Accepted'
  return `Refused: ${code}`
}

/** Refusals that the app itself might not have given. */
function limits({ code }: Explanation, { middleware, origins, ...given }: Given): string[] {
  const store = middleware ? new MiddlewareVerifier(middleware).store : given.store
  if (code === 'ERR_SESSION_ORIGIN' && origins === undefined) {
    return ["Your server's cors.origin, which is asked where `origins` is not set, is not known here (see --origins)"]
  }
  if (code === 'ERR_SESSION_NOT_FOUND' && store?.constructor?.name === 'MemoryStore') {
    return ['A MemoryStore is in the memory of the app, and this is another process: call sessions.explain(req) there']
  }
  return []
}
