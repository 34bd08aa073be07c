/** What `authorize` of passport.socketio takes, and its defaults; and what the app's own `success` and `fail` answer. */
import cookieParser = require('cookie-parser')

import { SessionError, type StoreLike } from '../../src'
import { ask } from '../answer'
import type { CookieParser } from '../parsed-sessions'

/** The request of Socket.IO, or the handshake with `io.set`; `user` is on it, or what `userProperty` says. */
export type Data = { [key: string]: unknown }
/** `accept()` and `accept(null, true)` let in; an error, and `accept(null, false)`, do not. */
export type Accept = (error?: unknown, accepted?: boolean) => void

export interface PassportLike {
  /** Where Passport keeps the login in the session. */
  _key?: string
  deserializeUser(serialized: never, request: never, done: (error: unknown, user?: unknown) => void): unknown
}

export interface Options {
  /** The store instance of `session()`. */
  store: StoreLike
  /** The secret of `session()`. */
  secret: string | string[]
  /** Name of the session cookie. @default 'connect.sid' */
  key?: string
  /** Makes the parser: `require('cookie-parser')`, `express.cookieParser`. @default that of cookie-parser */
  cookieParser?: (secret: never) => CookieParser
  /** @default require('passport') */
  passport?: PassportLike
  /** @default 'user' */
  userProperty?: string
  /** Decides about users. @default lets in */
  success?: (data: never, accept: Accept) => void
  /** Decides about all others; `critical` where it is a failure. @default refuses with the message */
  fail?: (data: never, message: string, critical: boolean, accept: Accept) => void
}

export type Setup = Required<Options> & { readonly parser: CookieParser; readonly loginKey: string }

/** Milliseconds that Passport, `success` and `fail` have each. */
const timeout = 10_000

/** @throws SessionError `ERR_SESSION_OPTIONS` */
export function setupOf(options: Options): Setup {
  check('options', typeof options === 'object' && options !== null, 'an object { store, secret, key, passport, … }')
  const { key = 'connect.sid', userProperty = 'user', passport = defaultPassport() } = options
  const { cookieParser: make = cookieParser as (secret: never) => CookieParser } = options
  const { success = accepts, fail = refuses } = options
  check('passport', typeof passport?.deserializeUser === 'function', 'a Passport, with deserializeUser')
  check('success', typeof success === 'function', 'a function (data, accept)')
  check('fail', typeof fail === 'function', 'a function (data, message, critical, accept)')
  check('userProperty', typeof userProperty === 'string' && userProperty !== '', 'the name of a property')
  const parser = attempt(() => make(options.secret as never))
  check(
    'cookieParser',
    typeof parser === 'function',
    "a function that makes the parser, as require('cookie-parser') is",
  )
  return {
    ...options,
    key,
    userProperty,
    passport,
    cookieParser: make,
    success,
    fail,
    parser: parser as CookieParser,
    loginKey: passport._key ?? 'passport',
  }
}

const accepts: Required<Options>['success'] = (_data, accept) => accept()

const refuses: Required<Options>['fail'] = ({ socketio_version_1: isSocket }: Data, message, _critical, accept) =>
  isSocket ? accept(new Error(message)) : accept(null, false)

function attempt(make: () => CookieParser): CookieParser | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

function defaultPassport(): PassportLike {
  try {
    return require('passport')
  } catch {
    throw new SessionError(
      'ERR_SESSION_OPTIONS',
      'passport.socketio: passport: expected the Passport of the app, as none is installed here',
    )
  }
}

function check(option: string, fits: boolean, expected: string): void {
  if (!fits) throw new SessionError('ERR_SESSION_OPTIONS', `passport.socketio: ${option}: expected ${expected}`)
}

/** The user of this login. @throws (rejects) Passport's own error */
export async function userOf({ passport }: Setup, login: unknown, data: Data): Promise<unknown> {
  const [error, user] = await ask<[unknown, unknown?]>('passport.socketio: deserializeUser', timeout, (done) =>
    passport.deserializeUser(login as never, data as never, done),
  )
  if (error) throw error
  return user
}

/** The app's no without a reason. */
export const refused = new Error('not authorized')

/** Asks `success` or `fail`. @returns undefined to let in, or why not */
export async function decide(start: (accept: Accept) => void): Promise<Error | undefined> {
  try {
    const [error, accepted] = await ask<[unknown?, boolean?]>('passport.socketio: success or fail', timeout, start)
    if (error) return error instanceof Error ? error : new Error(String(error))
    return accepted === false ? refused : undefined
  } catch (thrown) {
    // Apps throw what is critical: the client need not know it, and the process need not end.
    process.emitWarning(thrown instanceof Error ? thrown : String(thrown))
    return refused
  }
}
