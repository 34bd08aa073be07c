/**
 * The session of a socket that is not bound to an Express session (zappajs 6.5): stored under the socket's id once it is
 * changed, marked `cookie.__io`, and deleted when the socket disconnects, or by its expiry when that is never told.
 */
import type { ExpressSession, StoreLike } from '../../src'
import { type SessionRegistry, StoredSession, type WorkingCopy } from '../../src/internals'
import type { Client, EventContext, Options } from './context'
import { writeRecord } from './store'

/** A day, in ms. */
const oneDay = 86_400_000

/** Sockets that have a session of their own in the store, and those that are gone. */
const fates = new WeakMap<Client, 'stored' | 'left'>()

type StoredRecord = Awaited<ReturnType<StoredSession['read']>>
type Keeper = Parameters<StoredSession['create']>[1]

export class UnboundSession extends StoredSession {
  readonly #client: Client
  readonly #store: StoreLike
  readonly #options: Options

  constructor({ id, client }: EventContext, store: StoreLike, registry: SessionRegistry, options: Options) {
    super(id, registry)
    this.#client = client
    this.#store = store
    this.#options = options
  }

  /** Always has one; its time begins anew. */
  override async read(): Promise<StoredRecord> {
    const record = await this.home.store.get(this.id)
    const { unboundLifetime = oneDay } = this.#options
    const cookie = { originalMaxAge: unboundLifetime, expires: new Date(Date.now() + unboundLifetime) }
    return { ...record, cookie } as StoredRecord
  }

  /** What a socket's handlers still change when it is gone is not kept. */
  override async write(copy: WorkingCopy): Promise<void> {
    if (fates.get(this.#client) === 'left') return
    fates.set(this.#client, 'stored')
    copy.rebase(this.create(await this.read()))
    const { written } = copy.snapshot()
    await writeRecord(this.#store, this.id, copy.session, this.#options)
    written()
  }

  /** Emptied, not over: the socket stays, and what its handlers keep next is its session again. */
  override async destroy(): Promise<void> {
    await this.home.store.destroy(this.id)
  }

  override create(record: StoredRecord, keeper?: Keeper): ExpressSession {
    const session = super.create(record, keeper)
    const cookie = session.cookie as typeof session.cookie & { data: object }
    Object.defineProperty(cookie, 'toJSON', { value: () => ({ ...cookie.data, __io: true }) })
    return session
  }
}

/** To be called when the socket has disconnected: deletes what it had, after the handlers that run now. */
export async function forgetUnbound(
  { id, client }: EventContext,
  registry: SessionRegistry | undefined,
): Promise<void> {
  const wasStored = fates.get(client) === 'stored'
  fates.set(client, 'left')
  if (wasStored) await registry?.exclusive(id, () => registry.store.destroy(id))
}
