/**
 * The unit of work: what was changed in a copy is written onto what the store holds then, and only if the session still
 * exists. The rules say what a read is worth for that (`observations.ts`), and in which order units come (`work-queue.ts`).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SessionError } from '../errors'
import type { Knowledge, StoredSession } from './stored-session'
import type { WorkingCopy } from './working-copy'

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
    session.writes.alone(async () => {
      const guess = session.known
      const known = guess?.json === copy.base ? guess : await session.readAnew()
      rebase(session, copy, known)
      return replace(session, copy, known, attempts)
    }),
  )
}

/** Saves whose turn has not come yet, by what they write. */
const waiting = new WeakMap<WorkingCopy, Promise<void>>()

/** Commits a copy when its turn comes, if anything is changed by then. Of saves that wait for their turn one writes for all. */
export function save(session: StoredSession, copy: WorkingCopy): Promise<void> {
  const next = waiting.get(copy)
  if (next) return next
  let hasBegun = false
  const saving = session.exclusive(async () => {
    hasBegun = true
    waiting.delete(copy)
    if (copy.isChanged) await commit(session, copy)
  })
  if (!hasBegun) waiting.set(copy, saving)
  saving.catch(() => waiting.get(copy) === saving && waiting.delete(copy)) // It was given up before its turn came.
  return saving
}

/** Writes a draft although others could write while it was made. @returns false if one of its keys was changed there, too */
export async function replaceUnlessOvertaken(
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
export async function replace(
  session: StoredSession,
  copy: WorkingCopy,
  known: Knowledge,
  attempts: number,
): Promise<boolean> {
  const isFree = attempts >= 2 * politeAttempts || session.isUndisturbed(known.mark, attempts < politeAttempts)
  return isFree && session.writes.replace(copy, known.version)
}

/** Starts over until it is done. Between, others may finish: for a random time, so that rivals do not meet again. */
export async function persist(session: StoredSession, attempt: (attempts: number) => Promise<boolean>): Promise<void> {
  for (let attempts = 0; attempts < maxAttempts; attempts++) {
    session.goOn()
    if (await attempt(attempts)) return
    await sleep(Math.random() * Math.min(2 ** attempts, 64))
  }
  throw new SessionError('ERR_SESSION_CONFLICT', `overtaken by other writers ${maxAttempts} times in a row`)
}
