/**
 * express-socket.io-session 1.3.5: a function for `io.use` and `namespace.use` that puts the Express session on the
 * handshake, and a new one on that of visitors without. Who they are is `handshakeSession`'s business.
 */
import cookieParser = require('cookie-parser')

import { SessionError, type SessionMiddleware } from '../src'
import { ask } from './answer'
import { autoSave } from './express-socket.io-session/auto-save'
import { type SocketMiddleware, sessionOnHandshake } from './session-on-handshake'

declare namespace sharedSession {
  interface Options {
    /** Saves what the listeners of a socket change in its session, also after an `await`. @default false */
    autoSave?: boolean
    /** Taken, and without effect, as in the original: a new session is stored once it is saved. */
    saveUninitialized?: boolean
  }
  /** What `cookieParser(secret)` of cookie-parser returns, or anything that looks like it. */
  type CookieParser = (request: never, response: never, next: (error?: unknown) => void) => unknown
  type Middleware = SocketMiddleware
}

const name = 'express-socket.io-session'

/** Milliseconds that the cookie parser has. */
const timeout = 10_000

/**
 * @param middleware what `session({ … })` of express-session returned
 * @param parser called with the handshake, before the session is looked for; that is in the Cookie header @default cookieParser()
 * @throws SessionError `ERR_SESSION_OPTIONS`
 */
function sharedSession(middleware: SessionMiddleware, options?: sharedSession.Options): sharedSession.Middleware
function sharedSession(
  middleware: SessionMiddleware,
  parser?: sharedSession.CookieParser,
  options?: sharedSession.Options,
): sharedSession.Middleware
function sharedSession(middleware: SessionMiddleware, ...rest: unknown[]): sharedSession.Middleware {
  const [parser, options] = typeof rest[0] === 'object' && rest[0] ? [undefined, rest[0]] : rest
  const { use, saveChanges } = sessionOnHandshake(name, middleware)
  const parse = (parser ?? cookieParser()) as sharedSession.CookieParser
  check('cookieParser', typeof parse === 'function', 'a function, as cookieParser() gives')
  check('options', typeof (options ?? {}) === 'object', 'an object')
  const { autoSave: isOn = false } = (options ?? {}) as sharedSession.Options
  check('autoSave', typeof isOn === 'boolean', 'true or false')
  return (given, next) => {
    const socket = given as Parameters<typeof autoSave>[0]
    const admit = () =>
      use(socket, (refusal) => {
        if (isOn) autoSave(socket, () => saveChanges(socket))
        next(refusal)
      })
    ask<[error?: unknown]>(`${name}: the cookie parser`, timeout, (answer) =>
      parse(socket.handshake as never, {} as never, answer),
    )
      .then(
        ([error]) => error,
        (error: unknown) => error,
      )
      // Outside the promise, so that what an app's own middleware throws is its exception, as it always was.
      .then((error) => process.nextTick(error ? () => next(error as Error) : admit))
  }
}

function check(argument: string, fits: boolean, expected: string): void {
  if (!fits) throw new SessionError('ERR_SESSION_OPTIONS', `${name}: ${argument}: expected ${expected}`)
}

export = sharedSession
