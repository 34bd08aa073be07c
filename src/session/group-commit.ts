/**
 * Group commit: the `update`s of a session that wait for their turn become one write. Each change works on its own draft,
 * which begins as the changes before it left the session, so a change that fails leaves nothing. One write answers them all.
 */
import { SessionError } from '../errors'
import { type ExpressSession, isRecord, isThenable } from '../store/record'
import type { Knowledge, StoredSession } from './stored-session'
import { persist, replace, replaceUnlessOvertaken } from './unit-of-work'
import type { WorkingCopy } from './working-copy'

/** Changes a session and may return something; may be async, and may run again on a fresh session. */
export type Change<T> = (session: ExpressSession) => T | Promise<T>

/** The groups whose turn has not come yet. */
const waiting = new WeakMap<StoredSession, Group>()

/**
 * Atomic read–modify–write: a failure leaves nothing behind.
 * @throws SessionError `ERR_SESSION_NOT_FOUND`, `_CONFLICT`, `_STORE`, `_TIMEOUT`, and whatever `change` throws
 */
export function update<T>(session: StoredSession, change: Change<T>): Promise<T> {
  const group = waiting.get(session)
  if (group) return group.add(change)
  const first = new Group(session)
  const result = first.add(change)
  waiting.set(session, first)
  const begin = () => {
    if (waiting.get(session) === first) waiting.delete(session)
  }
  const turn = session.exclusive(() => {
    begin()
    return first.commit()
  })
  turn.catch((error) => {
    begin()
    first.fail(error)
  })
  return result
}

class Group {
  readonly #session: StoredSession
  readonly #members: Member[] = []

  constructor(session: StoredSession) {
    this.#session = session
  }

  add<T>(change: Change<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#members.push(new Member(change, resolve as (value: unknown) => void, reject))
    })
  }

  async commit(): Promise<void> {
    await persist(this.#session, (attempts) => this.#attempt(attempts))
    for (const member of this.#members) member.settle()
  }

  fail(error: unknown): void {
    for (const { reject } of this.#members) reject(error)
  }

  /**
   * @param mayGuess whether the changes may run on what this process knows: the compare-and-set then tells whether it was
   * right. Where nothing is written, nothing tells, so the second attempt reads.
   * @returns whether the group is done
   */
  async #attempt(attempts: number, mayGuess = true): Promise<boolean> {
    const session = this.#session
    const begun = await session.writes.alone(async () => {
      const guess = mayGuess ? session.known : undefined
      const known = guess ?? (await session.read())
      const draft = this.#draft(known)
      const isNow = !isThenable(draft) && draft?.isChanged
      const isDone = isNow ? await replace(session, draft, known, attempts) : undefined
      return { draft, known, isSure: !guess, isDone }
    })
    if (begun.isDone !== undefined) return begun.isDone
    const draft = await begun.draft
    if (!draft?.isChanged) return begun.isSure || this.#attempt(attempts, false)
    return session.writes.alone(() => replaceUnlessOvertaken(session, draft, begun.known, attempts))
  }

  /** Runs the changes, beginning with `from`. @returns the last draft, if any change succeeded; a promise only where a change is async */
  #draft(known: Knowledge, from = 0, before?: WorkingCopy): Drafted | Promise<Drafted> {
    const { shared, timeout } = this.#session
    const limit = this.#members.length > 1 ? timeout : undefined
    this.#session.goOn()
    let last = before
    for (let next = from; next < this.#members.length; next++) {
      const draft = last ? shared.fork(last) : shared.draft(JSON.parse(known.json))
      const isGood = this.#members[next]?.run(draft.session, limit)
      if (isThenable(isGood)) {
        this.#session.goOn() // After the change's own time has begun, which so ends before that of those who wait.
        const [following, previous] = [next + 1, last]
        return isGood.then((good) => this.#draft(known, following, good ? draft : previous))
      }
      if (isGood) last = draft
    }
    return last
  }
}

type Drafted = WorkingCopy | undefined

/** One `update` of a group. */
class Member {
  readonly #change: Change<unknown>
  readonly #resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  /** Answers the caller with the last outcome of the change. */
  settle = () => {}
  #isGivenUp = false

  constructor(change: Change<unknown>, resolve: (value: unknown) => void, reject: (error: unknown) => void) {
    this.#change = change
    this.#resolve = resolve
    this.reject = reject
  }

  /**
   * @param limit milliseconds that the change may take, where others wait for it
   * @returns whether it succeeded
   */
  run(session: ExpressSession, limit: number | undefined): boolean | Promise<boolean> {
    if (this.#isGivenUp) return false
    try {
      const returned = this.#change(session)
      if (!isThenable(returned)) return this.#succeeded(returned, session)
      const given = limit === undefined ? Promise.resolve(returned) : this.#within(limit, returned)
      return given.then((value) => this.#succeeded(value, session)).catch((error) => this.#failed(error))
    } catch (error) {
      return this.#failed(error)
    }
  }

  #within(limit: number, returned: PromiseLike<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#isGivenUp = true
        const message = `the change takes longer than ${limit} ms, and other updates of the session wait for it`
        const error = new SessionError('ERR_SESSION_CONFLICT', message)
        this.reject(error) // At once: nothing of it will be written.
        reject(error)
      }, limit).unref()
      Promise.resolve(returned)
        .finally(() => clearTimeout(timer))
        .then(resolve, reject)
    })
  }

  /** @throws TypeError if the session cannot be written: then this change fails, not the ones after it */
  #succeeded(value: unknown, session: ExpressSession): boolean {
    if (!isRecord({ cookie: session.cookie })) throw new TypeError('the session has lost its cookie')
    JSON.stringify(session)
    this.settle = () => this.#resolve(value)
    return true
  }

  #failed(error: unknown): boolean {
    this.settle = () => this.reject(error)
    return false
  }
}
