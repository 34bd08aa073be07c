/**
 * The unit of work: what was changed in a copy is written onto what the store holds by then, and only if the session still
 * exists. `observations.ts` says what a read is worth for that, `work-queue.ts` in which order units come.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SessionError } from '../errors'
import type { Knowledge, StoredSession } from './stored-session'
import type { WorkingCopy } from './working-copy'

/** How often work starts over before it fails, as the session is too busy. */
const maxAttempts = 100
/**
 * How often it starts over because a request writes, which cannot be made to wait: so often for a write that hangs, and so
 * often again for writes that begin meanwhile. Then it writes all the same.
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

/** Saves whose turn has not come yet, by their copy. */
const waiting = new WeakMap<WorkingCopy, Promise<void>>()

/** Commits a copy when its turn comes, if anything is changed by then. Saves that wait for their turn are one write. */
export function save(session: StoredSession, copy: WorkingCopy): Promise<void> {
  const next = waiting.get(copy)
  if (next) return next
  const release = copy.claim()
  let hasBegun = false
  const turn = async () => {
    hasBegun = true
    waiting.delete(copy)
    if (copy.isChanged) await commit(session, copy)
  }
  const saving = session.exclusive(turn).finally(release)
  if (!hasBegun) waiting.set(copy, saving)
  saving.catch(() => waiting.get(copy) === saving && waiting.delete(copy)) // Given up before its turn came.
  return saving
}

/** Writes a draft that took time, in which others could write. @returns false if they changed one of its keys, and nothing was written */
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

/** @returns false if somebody else is writing, or has written since: then nothing was written */
export async function replace(
  session: StoredSession,
  copy: WorkingCopy,
  known: Knowledge,
  attempts: number,
): Promise<boolean> {
  const isFree = attempts >= 2 * politeAttempts || session.isUndisturbed(known.mark, attempts < politeAttempts)
  return isFree && session.writes.replace(copy, known.version)
}

/** Tries until it is done, with random pauses, in which others can finish and after which rivals do not meet again. */
export async function persist(session: StoredSession, attempt: (attempts: number) => Promise<boolean>): Promise<void> {
  for (let attempts = 0; attempts < maxAttempts; attempts++) {
    session.goOn()
    if (await attempt(attempts)) return
    await sleep(Math.random() * Math.min(2 ** attempts, 64))
  }
  throw new SessionError('ERR_SESSION_CONFLICT', `overtaken by other writers ${maxAttempts} times in a row`)
}
