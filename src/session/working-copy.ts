/**
 * A session that is being worked on, and its base, the record that it was read from: tells what was changed, and carries
 * that over to a newer record, as git's rebase does, per top-level key. No I/O; `unit-of-work.ts` reads and writes.
 */
import { attempt } from '../errors'
import type { ExpressSession, SessionRecord } from '../store/record'
import { changedKeys, merge, parts, writableJSON, writtenAs } from './record-keys'

/** What is being written. */
export interface Snapshot {
  readonly json: string
  /** The write was answered. @param isWritten true: what was written is the new base; undefined: nobody knows */
  end(isWritten: boolean | undefined): void
}

/** What may be written later. */
interface Draft extends Snapshot {
  /** The write begins. */
  begin(): void
}

/** A write in flight, or one of which nobody knows whether it happened. */
interface Unsettled {
  readonly base: string
  readonly json: string
  /** Keys that it writes though its base has the same. */
  readonly claimed: readonly string[]
  /** The keys that it changes, without the cookie, and without those that a newer record has otherwise. Made when needed. */
  changes?: Map<string, string | undefined>
}

/** Of saves that are not over. */
interface Claim {
  readonly keys: Set<string>
  saves: number
}

const none: Unsettled[] = []

export class WorkingCopy {
  /** The same object for the whole life of the copy. */
  readonly session: ExpressSession
  /** The base, as JSON: the smallest deep copy, and the quickest to compare. */
  #base: string
  /** Changes that came from another copy, which has to hear whether they were written. */
  #applied: Draft | undefined
  /** If a newer record has what one of these wrote, that was our own write, and no change by others. */
  #unsettled = none
  #claim: Claim | undefined

  constructor(session: ExpressSession, base = JSON.stringify(session)) {
    this.session = session
    this.#base = base
  }

  /** Whether anything was changed since the base, also if only the order of keys, or to what JSON cannot hold. */
  get isChanged(): boolean {
    if (this.#unsettled.length > 0 || this.#claimed.length > 0) return true
    return attempt(() => writtenAs(this.session)) !== this.#base
  }

  /**
   * A save begins to wait. What is changed by then stays a change until it is written, also if somebody else makes the
   * same: a write that is on its way, made of what was before, may take theirs back.
   * @returns to be called when the save is over
   */
  claim(): () => void {
    this.#claim ??= { keys: new Set(), saves: 0 }
    const claim = this.#claim
    claim.saves++
    return () => {
      if (--claim.saves === 0) this.#claim = undefined
    }
  }

  get #claimed(): string[] {
    return [...(this.#claim?.keys ?? [])]
  }

  /** Whether this record equals the base. False, too, if only the order of keys differs. */
  isBasedOn(record: SessionRecord): boolean {
    return JSON.stringify(record) === this.#base
  }

  /** The record that it was made of, as JSON. */
  get base(): string {
    return this.#base
  }

  /**
   * Makes `theirs`, a session made of a newer record, the base. A key that only they changed takes their value; a key that
   * was changed here keeps ours. Objects under unchanged keys stay the same objects.
   * @returns the keys that both sides changed, also to the same value: both may have counted the same step
   */
  rebase(theirs: ExpressSession): string[] {
    const newBase = JSON.stringify(theirs)
    if (newBase === this.#base) return []
    const base = parts(this.#base)
    const theirParts = parts(newBase)
    const ours = parts(writableJSON(this.session, this.#base))
    const conflicts: string[] = []
    for (const key of changedKeys(base, theirParts)) {
      const our = ours.get(key)
      const isOurs = our !== base.get(key) || this.#claim?.keys.has(key)
      if (isOurs || this.#mayHaveWritten(key, theirParts.get(key))) conflicts.push(key)
      else this.#take(key, theirs)
      if (isOurs && !this.#mayHaveWritten(key, our)) this.#claim?.keys.add(key) // What is being written is not to be written again.
    }
    this.#base = newBase
    return conflicts
  }

  #mayHaveWritten(key: string, text: string | undefined): boolean {
    const changes = this.#unsettled.map(changesOf) // Of each, so that all of them know what newer records have.
    return changes.some((values) => values.has(key) && values.get(key) === text)
  }

  #take(key: string, theirs: ExpressSession): void {
    assign(this.session, key, theirs)
    for (const write of this.#unsettled) changesOf(write).delete(key)
    this.#unsettled = this.#unsettled.filter((write) => changesOf(write).size > 0)
  }

  /**
   * Carries over what was changed in `other` since its base, without the cookie. When this is written, that counts as
   * written in `other`, too.
   */
  apply(other: WorkingCopy): void {
    const json = writableJSON({ ...other.session, cookie: JSON.parse(other.#base).cookie }, other.#base)
    if (json === other.#base) return
    this.#applied = other.#snapshot(json)
    const theirs = JSON.parse(json) as ExpressSession
    for (const key of changedKeys(parts(other.#base), parts(json))) assign(this.session, key, theirs)
  }

  /** Another copy with the same base and changes. @param session made of this one's */
  fork(session: ExpressSession): WorkingCopy {
    const fork = new WorkingCopy(session, this.#base)
    fork.#applied = this.#applied
    return fork
  }

  /** This key alone was written. */
  settle(key: keyof ExpressSession): void {
    this.#base = JSON.stringify({ ...JSON.parse(this.#base), [key]: this.session[key] })
  }

  /** The session as it is written now: the write begins. @throws SessionError `ERR_SESSION_STORE` if JSON cannot hold it */
  snapshot(): Snapshot {
    const snapshot = this.#snapshot(writtenAs(this.session))
    snapshot.begin()
    return snapshot
  }

  /**
   * A read that is adopted during the write may or may not have seen it. Either way what was written is no change of ours
   * any more; and the next read, which follows then, tells who was last.
   */
  #snapshot(json: string): Draft {
    const write: Unsettled = { base: this.#base, json, claimed: this.#claimed }
    return {
      json,
      begin: () => {
        this.#unsettled = [...this.#unsettled, write]
        this.#applied?.begin()
      },
      end: (isWritten) => {
        this.#applied?.end(isWritten)
        if (isWritten === undefined && changesOf(write).size > 0) return
        const isAsBefore = this.#base === write.base && !write.changes
        if (isWritten) this.#base = isAsBefore ? json : merge(this.#base, json, changesOf(write))
        this.#unsettled = isWritten ? none : this.#unsettled.filter((each) => each !== write)
        if (isWritten) for (const key of write.claimed) this.#claim?.keys.delete(key)
      },
    }
  }
}

function changesOf(write: Unsettled): Map<string, string | undefined> {
  if (write.changes) return write.changes
  const [before, after] = [parts(write.base), parts(write.json)]
  const keys = [...changedKeys(before, after), ...write.claimed].filter((key) => key !== 'cookie')
  write.changes = new Map(keys.map((key) => [key, after.get(key)]))
  return write.changes
}

type Keyed = Record<string, unknown>

function assign(session: ExpressSession, key: string, from: ExpressSession): void {
  const [target, source] = [session, from] as unknown as [Keyed, Keyed]
  if (Object.hasOwn(source, key)) target[key] = source[key]
  else delete target[key]
}
