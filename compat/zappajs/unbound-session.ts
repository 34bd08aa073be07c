/**
 * The session of a socket that is not bound to an Express session (zappajs 6.5): stored under the socket's id once it is
 * changed, marked `cookie.__io`, and deleted when the socket disconnects, or by its expiry when that is never told.
 */
import type { ExpressSession, SessionRecord, StoreLike } from '../../src'
import type { LiveSession, SessionKeeper, SessionRegistry, WorkingCopy } from '../../src/internals'
import type { Client, EventContext, Options } from './context'
import { writeRecord } from './store'

/** A day, in ms. */
const oneDay = 86_400_000

/** Sockets that have a session of their own in the store, and those that are gone. */
const fates = new WeakMap<Client, 'stored' | 'left'>()

/** As `BoundSession`. */
export class UnboundSession {
  readonly id: string
  readonly #client: Client
  readonly #store: StoreLike
  readonly #registry: SessionRegistry
  readonly #options: Options

  constructor({ id, client }: EventContext, store: StoreLike, registry: SessionRegistry, options: Options) {
    this.id = id
    this.#client = client
    this.#store = store
    this.#registry = registry
    this.#options = options
  }

  /** For the order of work alone. */
  get #live(): LiveSession {
    return this.#registry.at(this.id)
  }

  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#live.stored.exclusive(work)
  }

  /** Always has one; its time begins anew. */
  async read(): Promise<SessionRecord> {
    const record = await this.#registry.store.get(this.id)
    const { unboundLifetime = oneDay } = this.#options
    const cookie = { originalMaxAge: unboundLifetime, expires: new Date(Date.now() + unboundLifetime) }
    return { ...record, cookie } as SessionRecord
  }

  /** What a socket's handlers still change when it is gone is not kept. */
  async write(copy: WorkingCopy): Promise<void> {
    if (fates.get(this.#client) === 'left') return
    fates.set(this.#client, 'stored')
    copy.rebase(this.create(await this.read()))
    const snapshot = copy.snapshot()
    await writeRecord(this.#store, this.id, copy.session, this.#options)
    snapshot.end(true)
  }

  /** Emptied, not over: the socket stays, and what its handlers keep next is its session again. */
  async destroy(): Promise<void> {
    await this.#registry.store.destroy(this.id)
  }

  create(record: SessionRecord, keeper?: SessionKeeper): ExpressSession {
    const session = this.#live.stored.shared.create(record, keeper)
    const cookie = session.cookie as typeof session.cookie & { data: object }
    Object.defineProperty(cookie, 'toJSON', { value: () => ({ ...cookie.data, __io: true }) })
    return session
  }

  unheard(error: unknown): void {
    this.#registry.unheard(error, 'save')
  }
}

/** To be called when the socket has disconnected: deletes what it had, after the handlers that run now. */
export async function forgetUnbound(
  { id, client }: EventContext,
  registry: SessionRegistry | undefined,
): Promise<void> {
  const wasStored = fates.get(client) === 'stored'
  fates.set(client, 'left')
  if (wasStored) await registry?.at(id).stored.exclusive(() => registry.store.destroy(id))
}
