/**
 * The session of one socket, as `socket.session`: values in memory, and one row in the table. Whatever is asked of it is
 * done in that order, one after the other, so that two tokens on one socket never mix.
 */
import { sync as uid } from 'uid-safe'
import { createTable, type Database, decode, encode, isToken, noValues, SessionTable, type Values } from './table'

/** What `filelogger` and others offer. Used with the levels `debug` and `error`. */
export interface Logger {
  log(level: string, message: string): unknown
}

/** Options with all defaults filled in. */
export interface Settings {
  readonly db: Database
  readonly logger: Logger
  /** As the app gave it. */
  readonly expiration: number
  /** How long a session lasts after its last save, in ms. */
  readonly expirationMs: number
  /** Milliseconds that the database has for an answer. */
  readonly timeout: number
}

/** What a client is told in `gotToken`. */
export interface Loaded {
  /** The token to come back with, or `''` when the database failed. */
  token: string
  /** `''`, `'Session Not Found'`, `'Session Expired'` or `'Something terrible happened'`. */
  errors: string
}

/** Told that it is done; `error` says why not. */
export type Callback = (error: unknown) => void

/** The greatest value of the column `expires`, an unsigned int: in the year 2106. */
const latest = 2 ** 32 - 1
const tokenIsEmpty = 'Token is empty.'

export class Session {
  readonly db: Database
  readonly logger: Logger
  values: Values = noValues()
  /** The id of the row; `''` until a client has asked for it with `getToken`. */
  token = ''
  /** When the row expires, in seconds since 1970. */
  expires: number

  readonly #table: SessionTable
  #last: Promise<unknown> = Promise.resolve()
  /** How many calls of `loadSession` have yet to be done. */
  #loads = 0

  constructor(readonly options: Settings) {
    this.db = options.db
    this.logger = options.logger
    this.expires = this.#expiry()
    this.#table = new SessionTable(options.db, options.timeout, (message) => this.#log('debug', message))
  }

  /** The value, or `''` if there is none. */
  get(key: string): unknown {
    this.#log('debug', `getting ${key} from session.`)
    const value = this.values[key]
    return value === undefined ? '' : value
  }

  /**
   * Sets the value at once and saves the session. While a session is being loaded, it is set in that one.
   * A failure is logged and told to the callback or the promise; nobody has to take either.
   */
  set(key: string, value: unknown, callback?: Callback): Promise<void> {
    this.#log('debug', `setting ${key} to session.`)
    const saved = this.#change(() => {
      this.values[key] = value
    })
    return this.#tell(saved, callback)
  }

  /** Empties the session and saves it. The token and its row remain. Failures as with `set`. */
  clearSession(callback?: Callback): Promise<void> {
    const saved = this.#change(() => {
      this.values = noValues()
    })
    return this.#tell(saved, callback)
  }

  /**
   * Takes over the session of the token, or begins a new one. When the database fails, everything stays as it was.
   * Never rejects: `errors` says what happened.
   */
  loadSession(token: unknown, callback?: (token: string, errors: string) => void): Promise<Loaded> {
    this.#loads++
    const loaded = this.#inTurn(() => this.#load(token))
      .catch((error) => this.#loadFailed(error))
      .finally(() => this.#loads--)
    loaded.then(({ token, errors }) => callback?.(token, errors))
    return loaded
  }

  async #load(token: unknown): Promise<Loaded> {
    this.#log('debug', 'loading session')
    const row = isToken(token) ? await this.#table.find(token) : undefined
    if (!row) return this.#begin('Session Not Found')
    if (Math.round(Date.now() / 1000) > row.expires) return this.#begin('Session Expired')
    const values = decode(row.data)
    if (!values) {
      this.#log('error', 'the data of a session is not a JSON object; it counts as not found')
      return this.#begin('Session Not Found')
    }
    return this.#adopt(row.sessionId, row.expires, values)
  }

  /** A new session: empty, or with what the server set before the socket had any. */
  async #begin(errors: string): Promise<Loaded> {
    this.#log('debug', errors)
    const [token, expires, values] = [uid(24), this.#expiry(), this.token === '' ? this.values : noValues()]
    await this.#table.save(token, expires, encode(values))
    return { ...this.#adopt(token, expires, values), errors }
  }

  #adopt(token: string, expires: number, values: Values): Loaded {
    Object.assign(this, { token, expires, values })
    return { token, errors: '' }
  }

  #loadFailed(error: unknown): Loaded {
    const errors = 'Something terrible happened'
    this.#log('error', `${errors}\n${firstLine(error)}`)
    return { token: '', errors }
  }

  /** What is written is what there is now; or, while sessions are being loaded, what there is when its turn comes. */
  async #change(change: () => void): Promise<void> {
    change()
    if (this.#loads === 0) {
      const data = encode(this.values)
      return this.#inTurn(() => this.#save(data))
    }
    return this.#inTurn(() => {
      change()
      return this.#save(encode(this.values))
    })
  }

  async #save(data: string): Promise<void> {
    this.#log('debug', 'saving session')
    if (this.token === '') throw new Error(tokenIsEmpty)
    const expires = this.#expiry()
    await this.#table.save(this.token, expires, data)
    this.expires = expires
  }

  /** Calls back, if there is somebody to call. A failure is logged, and is no unhandled rejection if nobody takes it. */
  #tell(saved: Promise<void>, callback: Callback = () => {}): Promise<void> {
    const failed = (error: unknown) => {
      this.#saveFailed(error)
      callback(error)
    }
    saved.then(() => callback(null), failed)
    return saved
  }

  #saveFailed(error: unknown): void {
    if ((error as Error).message === tokenIsEmpty) return void this.logger.log('error', tokenIsEmpty)
    const hint = 'unable to save session. You might need to create the table.'
    this.#log('error', `${hint} \n${createTable}\n${firstLine(error)}`)
  }

  /** Runs the work after all work before it, failed or not. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }

  #expiry(): number {
    return Math.min(Math.round((Date.now() + this.options.expirationMs) / 1000), latest)
  }

  #log(level: 'debug' | 'error', message: string): void {
    this.logger.log(level, `Socket.io-mysql-session: ${message}`)
  }
}

/** Without the lines and fields in which drivers show the SQL with its values. */
function firstLine(error: unknown): string {
  const text = error instanceof Error ? String(error) : typeof error === 'string' ? error : 'an error without a message'
  return text.split('\n', 1)[0] as string
}
