/**
 * The session of a visitor who has none, as express-session gives every request: new, and not in the store unless it is
 * saved. From then on it is like any other: only what was changed is written, and when it ends, so does the connection.
 */
import { type ExpressSession, SessionError, type SessionMiddleware, type StoreLike } from '../src'
import {
  commit,
  type LiveSession,
  type SessionKeeper,
  type SessionRegistry,
  type SocketLike,
  WorkingCopy,
} from '../src/internals'
import { ask } from './answer'

/** What express-session puts on a request. */
interface NewRequest {
  sessionID: string
  session: object
  sessionStore: StoreLike
}

/** Where express-session would look for a session, besides the Cookie header. */
const nothing = { session: undefined, sessionID: undefined, cookies: undefined, signedCookies: undefined }

type Visitor = Pick<SocketLike, 'conn' | 'handshake'>

/** Milliseconds that a store has for its answer, as by default in the core. */
const timeout = 10_000

const newSessions = new WeakMap<object, NewSession>()

/** Whether there is something to save in this session, for who saves without being asked to: not in a new, unchanged one. */
export function isWorthSaving(session: object): boolean {
  return newSessions.get(session)?.isWorthSaving ?? true
}

/** Whether it is one of these, and so of no use to who asks for the session of the cookie. */
export function isNewSession(session: object | undefined): boolean {
  return session !== undefined && newSessions.has(session)
}

/** The session that `session()` makes for a visitor without one; undefined where it makes none: beyond its cookie's `path`. */
export function newSession(
  middleware: SessionMiddleware,
  registry: SessionRegistry,
  visitor: Visitor,
): NewSession | undefined {
  const { cookie: _, ...headers } = visitor.handshake.headers
  const request = { ...(visitor.handshake as object), headers, ...nothing }
  // Without a cookie it asks no store, and as this response never ends, it writes nothing.
  middleware(request as never, {} as never, (() => {}) as never)
  if (!request.session) return undefined
  return new NewSession(request as unknown as NewRequest, registry, visitor.conn)
}

export class NewSession implements SessionKeeper {
  readonly session: ExpressSession
  readonly #id: string
  readonly #store: StoreLike
  readonly #registry: SessionRegistry
  readonly #conn: Visitor['conn']
  readonly #copy: WorkingCopy
  #isStored = false

  constructor({ session, sessionID, sessionStore }: NewRequest, registry: SessionRegistry, conn: Visitor['conn']) {
    this.#id = sessionID
    this.#store = sessionStore
    this.#registry = registry
    this.#conn = conn
    this.session = this.#live.stored.shared.create(JSON.parse(JSON.stringify(session)), this)
    this.#copy = new WorkingCopy(this.session)
    newSessions.set(this.session, this)
  }

  get isWorthSaving(): boolean {
    return this.#copy.isChanged
  }

  save(): Promise<void> {
    return this.#live.stored.exclusive(async () => {
      if (!this.#isStored) await this.#create()
      else if (this.#copy.isChanged) await commit(this.#live.stored, this.#copy)
    })
  }

  async reload(): Promise<void> {
    if (!this.#isStored) throw new SessionError('ERR_SESSION_NOT_FOUND', 'this session is new, and was never saved')
    await this.#live.refresh()
    this.follow()
  }

  async destroy(): Promise<void> {
    try {
      await this.#live.destroy()
    } finally {
      this.#conn.close()
    }
  }

  unheard(error: unknown): void {
    this.#live.unheard(error)
  }

  /** Takes over what the session has become meanwhile; what was changed here stays. */
  follow(): void {
    if (!this.#isStored) return
    const { shared } = this.#live.stored
    if (shared.isRead && shared.copy.base !== this.#copy.base) {
      this.#copy.rebase(shared.create(JSON.parse(shared.copy.base)))
    }
  }

  /** It is others' from now on, too: they may change it, and end it. */
  async #create(): Promise<void> {
    const snapshot = this.#copy.snapshot()
    const written = await this.#write(JSON.parse(snapshot.json)).then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    snapshot.end(!written)
    if (written) throw written.error
    this.#isStored = true
    await this.#live.refresh()
    if (this.#conn.readyState !== 'open') return
    const held = this.#live.hold(this.#conn)
    this.#conn.on('close', () => held.release(this.#conn))
  }

  async #write(record: object): Promise<void> {
    const [error] = await ask<[unknown?]>('the session store', timeout, (answer) =>
      this.#store.set(this.#id, record as never, (...result) => answer(...result)),
    )
    if (error) throw new SessionError('ERR_SESSION_STORE', 'the session store failed in set', { cause: error })
  }

  /** The one object of this id, as long as anybody uses it. */
  get #live(): LiveSession {
    return this.#registry.at(this.#id)
  }
}
