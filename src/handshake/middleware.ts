/**
 * express-session's own middleware as verifier: it knows the secrets, the name of the cookie, its path and the store, and
 * it alone knows all of them. A request of ours stops it once it has said what it knows. Relied on of 1.17 to 1.19 is the
 * order of its statements (express-session, index.js), each of which is done before it returns:
 *
 * 1. `next()`, if its store has emitted `disconnect`;
 * 2. `next()`, if the path of `req.originalUrl` does not begin with the `path` of the cookie. The path is what `parseurl`
 *    kept on the request, if that is of the same text;
 * 3. `next(error)`, if it has no secret;
 * 4. `req.sessionStore = store`;
 * 5. `req.sessionID =` the verified id in `req.headers.cookie`, else in `req.signedCookies[name]`, else undefined.
 *
 * Only then does it generate, read or write anything. `test/matrix.mjs` tries it on the oldest and the newest version.
 */
import type { IncomingHttpHeaders } from 'node:http'
import * as url from 'node:url'
import { attempt, SessionError } from '../errors'
import { isThenable, type StoreLike } from '../store/record'
import { type CookieVerifier, remembering, signedPart, unknown } from './cookie'
import type { RequestLike } from './origin'

/** What `session({ … })` of express-session returns. */
export type SessionMiddleware = (request: never, response: never, next: never) => unknown

/** Thrown where the middleware is to stop. */
const stop = new Error('handshake-session has seen what it asked session() for')

/** A request that lets the middleware come as far as step 5. */
class Question {
  readonly method = 'GET'
  readonly originalUrl: string
  readonly session = undefined
  readonly signedCookies: object | undefined
  sessionStore: unknown
  /** Whether step 5 was reached, and what was found there. */
  isAnswered = false
  id: unknown
  /** Where parseurl keeps what it parsed. */
  _parsedOriginalUrl: object | undefined

  constructor(
    readonly headers: IncomingHttpHeaders,
    readonly url = '/',
    /** Stands for the path, where any is right. */
    path?: object,
    signedCookies?: object,
  ) {
    this.originalUrl = url
    this._parsedOriginalUrl = path
    this.signedCookies = signedCookies
  }

  set sessionID(id: unknown) {
    this.id = id
    this.isAnswered = true
    throw stop
  }
}

/** The `Url` of `node:url`, which parseurl looks for; Node's types do not have it. */
const { Url } = url as unknown as { Url: new () => object }

/** A path that begins with whatever is asked. */
const anyPath = Object.assign(new Url(), { _raw: '/', pathname: { indexOf: () => 0 } })

/** Of requests that nobody made: a function that makes the cookie's options may look for it. */
const noHeaders = { host: 'localhost' }

const instead = 'use handshakeSession({ store, secret, name, … }) with the options of session()'

/** The id in a signed cookie, as the middleware itself finds it. */
export class MiddlewareVerifier implements CookieVerifier {
  readonly store: StoreLike
  readonly name: string

  readonly #middleware: SessionMiddleware

  /** Asks for the store and the name; nothing is read or written by that. @throws SessionError `ERR_SESSION_OPTIONS` */
  constructor(middleware: SessionMiddleware) {
    if (typeof (middleware as { handle?: unknown }).handle === 'function') throw noSession('an app or a router')
    this.#middleware = middleware
    let name: unknown
    const nameIs = (_cookies: object, key: unknown) => {
      name = key
    }
    const cookies = new Proxy({}, { get: nameIs })
    const question = new Question(noHeaders, '/', anyPath, cookies)
    if (isThenable(this.#ask(question))) throw noSession('an async function')
    if (typeof name !== 'string') throw noSession('a function that looks for no session (or its store is disconnected)')
    this.store = question.sessionStore as StoreLike
    this.name = name
  }

  /**
   * Whether the middleware looks for a session in such a request at all.
   * @throws SessionError `ERR_SESSION_STORE` while its store is disconnected, `_COOKIE_MISSING` beyond the cookie's path
   */
  check(request: RequestLike): void {
    const { originalUrl = request.url } = request as { originalUrl?: string }
    const { cookie: _, ...headers } = request.headers
    const question =
      originalUrl === undefined ? new Question(headers, '/', anyPath) : new Question(headers, originalUrl)
    this.#ask(question)
    if (question.isAnswered) return
    const elsewhere = new Question(headers, '/', anyPath)
    this.#ask(elsewhere)
    if (!elsewhere.isAnswered) throw new SessionError('ERR_SESSION_STORE', 'the session store is disconnected')
    throw new SessionError(
      'ERR_SESSION_COOKIE_MISSING',
      'the session cookie has a `path` that this request is not below: browsers do not send it, and session() does not read it; ' +
        "set the option `path` of Socket.IO's server and client below that, or that of the cookie to '/'",
    )
  }

  /** @throws SessionError `ERR_SESSION_SIGNATURE`, `_STORE` while its store is disconnected */
  readonly verify = remembering((value) => {
    const encoded = signedPart(value) === undefined ? undefined : attempt(() => encodeURIComponent(value))
    if (encoded !== undefined) {
      const question = new Question({ ...noHeaders, cookie: `${this.name}=${encoded}` }, '/', anyPath)
      this.#ask(question)
      if (!question.isAnswered) throw new SessionError('ERR_SESSION_STORE', 'the session store is disconnected')
      if (typeof question.id === 'string' && question.id !== '') return question.id
    }
    throw unknown('signed with no secret of session(): it was changed, or another app on this host set it')
  })

  /** @throws SessionError `ERR_SESSION_OPTIONS` for whatever else happens than what is relied on */
  #ask(question: Question): unknown {
    let failure: unknown
    const next = (error: unknown) => {
      failure = error
    }
    let returned: unknown
    try {
      returned = this.#middleware(question as never, {} as never, next as never)
    } catch (error) {
      failure = error
    }
    if (isThenable(returned)) returned.then(undefined, () => {})
    if (!failure || question.isAnswered) return returned
    const message = `session() has no secret, or its cookie is a function that wants more than a bare request; ${instead}`
    throw new SessionError('ERR_SESSION_OPTIONS', message, { cause: failure })
  }
}

function noSession(came: string): SessionError {
  const message = `expected the function that session({ … }) of express-session returned, got ${came}`
  return new SessionError('ERR_SESSION_OPTIONS', message)
}
