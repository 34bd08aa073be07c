/** The one error class of this package, its codes, and what a client may be told; who tells it is `socket-io/`. */

/** The handshake merely has no session. */
const anonymous = {
  /** The handshake carries no session cookie of the configured name, or a Cookie header too large to be read. */
  ERR_SESSION_COOKIE_MISSING: 'No session cookie',
  /** The cookie is not signed, or by none of the secrets. */
  ERR_SESSION_SIGNATURE: 'Session cookie is not valid',
  /** The store has no session under that id: it expired, was destroyed, or lives in another store. */
  ERR_SESSION_NOT_FOUND: 'Session not found',
  /** The page that connects is of an origin that may not use this cookie. */
  ERR_SESSION_ORIGIN: 'Origin not allowed',
  /** The ticket is malformed, not ours, too old or already used. */
  ERR_SESSION_TICKET: 'Session ticket is not valid',
} as const

/** The codes, each of one cause, and what a client is told of it. */
const clientMessages = {
  /** An option is missing or of the wrong type. Thrown by `handshakeSession()` at once. */
  ERR_SESSION_OPTIONS: 'Session options are wrong',
  ...anonymous,
  /** The store failed; told to `onError` at stage `end` or `cluster`, a listener or the adapter did. `cause` is the error. */
  ERR_SESSION_STORE: 'Session store is not available',
  /** The store did not answer in time. */
  ERR_SESSION_TIMEOUT: 'Session store did not answer in time',
  /** This instance was closed with `close()`, or the client left while it connected. */
  ERR_SESSION_ENDED: 'Sessions are closed here',
  /** An `update` was overtaken too often, or called inside itself; or one connection shows two sessions. */
  ERR_SESSION_CONFLICT: 'Session is busy',
  /** `authorize` did not say `true` for the session, or failed: then `cause` is its error. */
  ERR_SESSION_FORBIDDEN: 'Session is not allowed',
} as const

/** What went wrong, for programs. Each code is one cause; the message has the details and how to mend it. */
export type SessionErrorCode = keyof typeof clientMessages

/** Every code there is, for tables and exhaustive checks. */
export const SESSION_ERROR_CODES = Object.keys(clientMessages) as readonly SessionErrorCode[]

/**
 * Everything this package throws, rejects with or refuses a client with.
 * No message ever holds a session id or a secret; `cause` is the error of the store or the app, where there is one.
 */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  /** What Socket.IO hands to the client's `connect_error` as `error.data`. */
  readonly data: { readonly code: SessionErrorCode }

  constructor(
    readonly code: SessionErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options)
    this.data = { code }
  }

  /** The same refusal in words that tell a stranger nothing of the server: one fixed sentence for each code. */
  forClient(): SessionError {
    return new SessionError(this.code, clientMessages[this.code], { cause: this })
  }
}

/** During which work an error came up that nobody awaits. */
export type Stage = 'handshake' | 'authorize' | 'refresh' | 'save' | 'touch' | 'end' | 'cluster'

/** Tells the app of an error that nobody awaits. */
export type Tell = (error: unknown, stage: Stage) => SessionError

/** Whether the handshake merely has no session, as against a store that could not tell. */
export function isAnonymous({ code }: SessionError): boolean {
  return Object.hasOwn(anonymous, code)
}

/** The session is over, or never was. */
export function notFound(): SessionError {
  return new SessionError('ERR_SESSION_NOT_FOUND', 'the session is no longer in the store: it was destroyed or expired')
}

/** Any failure as a `SessionError`: a foreign one becomes the `cause`, of `ERR_SESSION_STORE`. */
export function asSessionError(error: unknown, message: string): SessionError {
  return error instanceof SessionError ? error : new SessionError('ERR_SESSION_STORE', message, { cause: error })
}

/** What this gives, or undefined where that it fails is an answer, and no error. */
export function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
