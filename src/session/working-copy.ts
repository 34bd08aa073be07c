/**
 * A session that somebody works on, and the record it was read from: what was changed here, and how to carry that over
 * to a newer record. Git's rebase, per top-level key. No I/O; `unit-of-work.ts` reads and writes.
 */
import type { ExpressSession, SessionRecord } from '../store/record'

/** What is being written. */
export interface Snapshot {
  readonly json: string
  /** The write is answered. @param isWritten if so, that is the new base; undefined: nobody knows */
  end(isWritten: boolean | undefined): void
}

/** What may be written. */
interface Draft extends Snapshot {
  /** The write begins. */
  begin(): void
}

/** A write that is under way, or of which nobody knows whether it happened. */
interface Unsettled {
  readonly base: string
  readonly json: string
  /** What it changes, by key, the cookie apart, as far as no newer record says otherwise; reckoned when one comes. */
  changes?: Map<string, string | undefined>
}

const none: Unsettled[] = []

export class WorkingCopy {
  /** One object for the whole life of the copy. */
  readonly session: ExpressSession
  /** What was read, as JSON: a string is the smallest deep copy, and the quickest to compare. */
  #base: string
  /** What was carried over from another copy, which is to hear what becomes of it. */
  #applied: Draft | undefined
  /** When what these wrote turns up in a newer record, it is our own, and what is here by then is a change of it. */
  #unsettled = none

  constructor(session: ExpressSession, base = JSON.stringify(session)) {
    this.session = session
    this.#base = base
  }

  /** Whether anything was changed here since the base, if only the order of keys. */
  get isChanged(): boolean {
    return this.#unsettled.length > 0 || JSON.stringify(this.session) !== this.#base
  }

  /** Whether this record says what the base says. May say no where only the order of keys differs. */
  isBasedOn(record: SessionRecord): boolean {
    return JSON.stringify(record) === this.#base
  }

  /** What it was made of, as JSON. */
  get base(): string {
    return this.#base
  }

  /**
   * Makes `theirs`, a session made of a newer record, the base. Every key that only they changed takes their value; a
   * key that was changed here keeps ours. Objects under unchanged keys stay the same objects.
   * @returns the keys that both sides changed, if only to the same value: both may have counted the same step
   */
  rebase(theirs: ExpressSession): string[] {
    const newBase = JSON.stringify(theirs)
    if (newBase === this.#base) return []
    const base = parts(this.#base)
    const theirParts = parts(newBase)
    const ours = parts(JSON.stringify(this.session))
    const conflicts: string[] = []
    for (const key of changedKeys(base, theirParts)) {
      if (this.#mayHaveWritten(key, theirParts.get(key)) || ours.get(key) !== base.get(key)) conflicts.push(key)
      else this.#take(key, theirs)
    }
    this.#base = newBase
    return conflicts
  }

  #mayHaveWritten(key: string, text: string | undefined): boolean {
    const changes = this.#unsettled.map(changesOf) // Of all: from now on each is to know what newer records say.
    return changes.some((values) => values.has(key) && values.get(key) === text)
  }

  #take(key: string, theirs: ExpressSession): void {
    assign(this.session, key, theirs)
    for (const write of this.#unsettled) changesOf(write).delete(key)
    this.#unsettled = this.#unsettled.filter((write) => changesOf(write).size > 0)
  }

  /**
   * Carries over what was changed in `other` since its base, the cookie apart; when this is written, that counts as
   * written there, too.
   */
  apply(other: WorkingCopy): void {
    const json = JSON.stringify({ ...other.session, cookie: JSON.parse(other.#base).cookie })
    if (json === other.#base) return
    this.#applied = other.#snapshot(json)
    const theirs = JSON.parse(json) as ExpressSession
    for (const key of changedKeys(parts(other.#base), parts(json))) assign(this.session, key, theirs)
  }

  /** Another copy with the same changes: `session`, made of this one's. */
  fork(session: ExpressSession): WorkingCopy {
    const fork = new WorkingCopy(session, this.#base)
    fork.#applied = this.#applied
    return fork
  }

  /** This key was written by itself. */
  settle(key: keyof ExpressSession): void {
    this.#base = JSON.stringify({ ...JSON.parse(this.#base), [key]: this.session[key] })
  }

  /** The session as it is written now: the write begins. */
  snapshot(): Snapshot {
    const snapshot = this.#snapshot(JSON.stringify(this.session))
    snapshot.begin()
    return snapshot
  }

  /**
   * A read that is adopted while it is being written may have seen it or not. Either way what was written is no change of
   * ours any more, once it was; and the next read, which follows then, tells who came last.
   */
  #snapshot(json: string): Draft {
    const write: Unsettled = { base: this.#base, json }
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
      },
    }
  }
}

function changesOf(write: Unsettled): Map<string, string | undefined> {
  if (write.changes) return write.changes
  const [before, after] = [parts(write.base), parts(write.json)]
  const keys = changedKeys(before, after).filter((key) => key !== 'cookie')
  write.changes = new Map(keys.map((key) => [key, after.get(key)]))
  return write.changes
}

/** Top-level key → its JSON. `__proto__` is no key: assigning it would not add one. */
function parts(json: string): Map<string, string> {
  const entries = Object.entries(JSON.parse(json)).filter(([key]) => key !== '__proto__')
  return new Map(entries.map(([key, value]) => [key, JSON.stringify(value)]))
}

/** The JSON of `newer`, with these changes and the cookie of `json`. */
function merge(newer: string, json: string, changes: Map<string, string | undefined>): string {
  const result = parts(newer)
  for (const [key, value] of [...changes, ['cookie', parts(json).get('cookie')] as const]) {
    if (value === undefined) result.delete(key)
    else result.set(key, value)
  }
  return `{${[...result].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}`
}

/** The keys that one of the two has alone, or with another value; their order does not count. */
function changedKeys(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key))
}

type Keyed = Record<string, unknown>

function assign(session: ExpressSession, key: string, from: ExpressSession): void {
  const [target, source] = [session, from] as unknown as [Keyed, Keyed]
  if (Object.hasOwn(source, key)) target[key] = source[key]
  else delete target[key]
}
