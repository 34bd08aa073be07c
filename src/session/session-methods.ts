/**
 * The methods of a `Session` of ours. express-session's `Session` implements `save`, `reload`, `destroy` and `regenerate`
 * by calling `this.req.sessionStore`. This is both, request and store, and passes the calls on to the session's keeper.
 */
import { SessionError } from '../errors'
import type { SessionRequest } from '../store/express-session'

/** Does what the methods of a session say. */
export interface SessionKeeper {
  save(): Promise<void>
  reload(): Promise<void>
  destroy(): Promise<void>
  /** Told of failures where the callback takes no error. */
  unheard(error: unknown): void
}

type Callback = (error?: unknown, value?: unknown) => void

export class SessionMethods implements SessionRequest {
  readonly sessionID: string
  /** Set by express-session. */
  session: unknown = undefined
  readonly #keeper: SessionKeeper

  constructor(sessionID: string, keeper: SessionKeeper) {
    this.sessionID = sessionID
    this.#keeper = keeper
  }

  get sessionStore(): this {
    return this
  }

  /** `session.save(callback)` */
  set(_id: string, _session: unknown, callback?: Callback): void {
    this.#answer(this.#keeper.save(), callback)
  }

  /** `session.reload(callback)`: the session object stays, its content is renewed; `createSession` has nothing to do. */
  get(_id: string, callback?: Callback): void {
    this.#answer(this.#keeper.reload(), callback, true)
  }

  createSession(): void {}

  /** `session.destroy(callback)` */
  destroy(_id: string, callback?: Callback): void {
    this.#answer(this.#keeper.destroy(), callback)
  }

  /** `session.regenerate(callback)` */
  regenerate(_request: unknown, callback?: Callback): void {
    const message =
      'a socket cannot regenerate its session: the new id needs a Set-Cookie, which only an HTTP response can send; ' +
      'call req.session.regenerate() in a route, and the client reconnects with the new session'
    this.#answer(Promise.reject(new SessionError('ERR_SESSION_OPTIONS', message)), callback)
  }

  /** Calls back outside the promise, so that what the callback throws is an exception of the app, as with express-session. */
  #answer(work: Promise<void>, callback: Callback | undefined, value?: unknown): void {
    work.then(
      () => callback && process.nextTick(callback, null, value),
      (error: unknown) => {
        if (callback) process.nextTick(callback, error)
        if (!callback?.length) this.#keeper.unheard(error)
      },
    )
  }
}
