/**
 * The unit of work: take a session, let somebody change it, write back only what was changed, onto what the store holds
 * then, and only if it still exists. The rules say what a read is worth for that (`observations.ts`), and in which order
 * units come (`work-queue.ts`).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SessionError } from '../errors'
import { type ExpressSession, isThenable } from '../store/record'
import type { Knowledge, StoredSession } from './stored-session'
import type { WorkingCopy } from './working-copy'

/** Changes a session and may return something; may be async, and may run again on a fresh session. */
export type Change<T> = (session: ExpressSession) => T | Promise<T>

/** How often work starts over before it says that the session is too busy. */
const maxAttempts = 100
/**
 * How often it starts over because a request writes, which cannot be asked to wait: so often for one that hangs, and so
 * often again for those that begin meanwhile. Then it writes all the same.
 */
const politeAttempts = 8

/**
 * Writes what was changed in the copy. A key that somebody else changed meanwhile takes our value.
 * @throws SessionError `ERR_SESSION_NOT_FOUND`, `_CONFLICT`, `_STORE`, `_TIMEOUT`
 */
export function commit(session: StoredSession, copy: WorkingCopy): Promise<void> {
  return persist(session, (attempts) =>
    session.alone(async () => {
      const known = await session.readAnew()
      rebase(session, copy, known)
      return replace(session, copy, known, attempts)
    }),
  )
}

/**
 * Atomic read–modify–write, `change` working on a draft: a failure leaves nothing behind.
 * @throws SessionError `ERR_SESSION_NOT_FOUND`, `_CONFLICT`, `_STORE`, `_TIMEOUT`, and whatever `change` throws
 */
export async function update<T>(session: StoredSession, change: Change<T>): Promise<T> {
  let result: T | undefined
  await persist(session, async (attempts) => {
    const begun = await session.alone(async () => {
      const known = await session.read()
      const draft = session.shared.draft(JSON.parse(known.json))
      const returned = change(draft.session)
      if (isThenable(returned)) return { returned, draft, known }
      result = returned
      return !draft.isChanged || replace(session, draft, known, attempts)
    })
    if (typeof begun === 'boolean') return begun
    const { returned, draft, known } = begun
    result = await returned
    return !draft.isChanged || session.alone(() => replaceUnlessOvertaken(session, draft, known, attempts))
  })
  return result as T
}

/** Others could write while `change` worked. @returns false if one of the keys was changed both here and there */
async function replaceUnlessOvertaken(
  session: StoredSession,
  draft: WorkingCopy,
  since: Knowledge,
  attempts: number,
): Promise<boolean> {
  const known = session.isAtomic ? since : await session.read()
  return rebase(session, draft, known).length === 0 && replace(session, draft, known, attempts)
}

function rebase(session: StoredSession, copy: WorkingCopy, { json }: Knowledge): string[] {
  return copy.base === json ? [] : copy.rebase(session.shared.create(JSON.parse(json)))
}

/** @returns false if somebody else writes, or has written since: then nothing was written */
async function replace(
  session: StoredSession,
  copy: WorkingCopy,
  known: Knowledge,
  attempts: number,
): Promise<boolean> {
  const isFree = attempts >= 2 * politeAttempts || session.isUndisturbed(known.mark, attempts < politeAttempts)
  return isFree && session.replace(copy, known.version)
}

/** Starts over until it is done. Between, others may finish: for a random time, so that rivals do not meet again. */
async function persist(session: StoredSession, attempt: (attempts: number) => Promise<boolean>): Promise<void> {
  for (let attempts = 0; attempts < maxAttempts; attempts++) {
    session.goOn()
    if (await attempt(attempts)) return
    await sleep(Math.random() * Math.min(2 ** attempts, 64))
  }
  throw new SessionError('ERR_SESSION_CONFLICT', `overtaken by other writers ${maxAttempts} times in a row`)
}
