/**
 * Group commit: the `update`s of a session that wait for their turn are one write. Each change works on a draft of its
 * own, made of what the ones before it left, so that one which fails leaves nothing; all are answered by the one write.
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
   * @param mayGuess whether what is known will do: a compare-and-set tells whether it was so, a read where nothing is to be written
   * @returns whether it is done
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

  /** Lets the changes work, from that one on. @returns what they made of it, if one succeeded; a promise only where one takes time */
  #draft(known: Knowledge, from = 0, before?: WorkingCopy): Drafted | Promise<Drafted> {
    const { shared, timeout } = this.#session
    const limit = this.#members.length > 1 ? timeout : undefined
    this.#session.goOn()
    let last = before
    for (let next = from; next < this.#members.length; next++) {
      const draft = last ? shared.fork(last) : shared.draft(JSON.parse(known.json))
      const isGood = this.#members[next]?.run(draft.session, limit)
      if (isThenable(isGood)) {
        this.#session.goOn() // After the time of the change has begun: that is over before those who wait are given up.
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
  /** Answers the caller with what the change gave last. */
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

  /** @throws where the session cannot be written: then this change fails, and not those that come after it */
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
