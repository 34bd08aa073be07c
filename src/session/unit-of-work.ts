/**
 * The unit of work: take a session, let somebody change it, write back only what was changed, onto what the store holds
 * then, and only if it still exists. The rules say what a read is worth for that (`observations.ts`), and in which order
 * units come (`work-queue.ts`).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SessionError } from '../errors'
import { type ExpressSession, isThenable, type SessionRecord } from '../store/record'
import type { Mark, Observations } from './observations'
import type { WorkingCopy } from './working-copy'

/** Changes a session and may return something; may be async, and may run again on a fresh session. */
export type Change<T> = (session: ExpressSession) => T | Promise<T>

/** A record, as JSON, and what it is worth. */
export interface Knowledge {
  readonly json: string
  /** By which the store knows whether it was written since, where it can compare and set. */
  readonly version: unknown
  readonly mark: Mark
}

/** One session in the store. */
export interface Workable {
  readonly observations: Observations
  /** Whether the store can compare and set: then `replace` notices every other writer. */
  readonly isAtomic: boolean
  /** @throws SessionError `ERR_SESSION_NOT_FOUND`, `_STORE`, `_TIMEOUT` */
  read(): Promise<Knowledge>
  /** Resolves when the writes of requests that are on their way are done, or have been waited for long enough. */
  makeWay(): Promise<void>
  /** The work is not stuck: it begins, or starts over. */
  goOn(): void
  /** Runs `work` while nobody else of us writes this session. */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** Writes; false if the store compares, and has another version. @throws as `read` */
  replace(copy: WorkingCopy, version: unknown): Promise<boolean>
  create(record: SessionRecord): ExpressSession
}

/** How often work starts over before it says that the session is too busy. */
const maxAttempts = 100
/** How often it starts over because a request writes meanwhile, which cannot be asked to wait. Then it writes all the same. */
const politeAttempts = 8

/**
 * Writes what was changed in the copy. A key that somebody else changed meanwhile takes our value.
 * @throws SessionError `ERR_SESSION_NOT_FOUND`, `_CONFLICT`, `_STORE`, `_TIMEOUT`
 */
export function commit(session: Workable, copy: WorkingCopy): Promise<void> {
  return persist(session, (isPolite) =>
    session.alone(async () => {
      await session.makeWay()
      const known = await session.read()
      rebase(session, copy, known)
      return replace(session, copy, known, isPolite)
    }),
  )
}

/**
 * Atomic read–modify–write, `change` working on a draft: a failure leaves nothing behind.
 * @param draftOf makes the draft of what was read
 * @throws SessionError `ERR_SESSION_NOT_FOUND`, `_CONFLICT`, `_STORE`, `_TIMEOUT`, and whatever `change` throws
 */
export async function update<T>(
  session: Workable,
  draftOf: (record: SessionRecord) => WorkingCopy,
  change: Change<T>,
): Promise<T> {
  let result: T | undefined
  await persist(session, async (isPolite) => {
    const begun = await session.alone(async () => {
      await session.makeWay()
      const known = await session.read()
      const draft = draftOf(JSON.parse(known.json))
      const returned = change(draft.session)
      if (isThenable(returned)) return { returned, draft, known }
      result = returned
      return !draft.isChanged || replace(session, draft, known, isPolite)
    })
    if (typeof begun === 'boolean') return begun
    const { returned, draft, known } = begun
    result = await returned
    return !draft.isChanged || session.alone(() => replaceUnlessOvertaken(session, draft, known, isPolite))
  })
  return result as T
}

/** Others could write while `change` worked. @returns false if one of the keys was changed both here and there */
async function replaceUnlessOvertaken(
  session: Workable,
  draft: WorkingCopy,
  since: Knowledge,
  isPolite: boolean,
): Promise<boolean> {
  await session.makeWay()
  const known = session.isAtomic ? since : await session.read()
  return rebase(session, draft, known).length === 0 && replace(session, draft, known, isPolite)
}

function rebase(session: Workable, copy: WorkingCopy, { json }: Knowledge): string[] {
  return copy.base === json ? [] : copy.rebase(session.create(JSON.parse(json)))
}

/** @returns false if somebody else writes, or has written since: then nothing was written */
async function replace(session: Workable, copy: WorkingCopy, known: Knowledge, isPolite: boolean): Promise<boolean> {
  const isFree = session.observations.mayBuildOn(known.mark)
  return (isFree || !isPolite) && session.replace(copy, known.version)
}

/** Starts over until it is done. Between, others may finish: for a random time, so that rivals do not meet again. */
async function persist(session: Workable, attempt: (isPolite: boolean) => Promise<boolean>): Promise<void> {
  for (let attempts = 0; attempts < maxAttempts; attempts++) {
    session.goOn()
    if (await attempt(attempts < politeAttempts)) return
    await sleep(Math.random() * Math.min(2 ** attempts, 64))
  }
  throw new SessionError('ERR_SESSION_CONFLICT', `overtaken by other writers ${maxAttempts} times in a row`)
}
