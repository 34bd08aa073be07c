/**
 * A session that somebody works on, and the record it was read from: what was changed here, and how to carry that over
 * to a newer record. Git's rebase, per top-level key. No I/O; `unit-of-work.ts` reads and writes.
 */
import type { ExpressSession, SessionRecord } from '../store/record'

/** What is being written. */
export interface Snapshot {
  readonly json: string
  /** To be called once it was written: that is the new base then. */
  written(): void
  /** To be called when nobody knows whether it was. */
  failed(): void
}

export class WorkingCopy {
  /** One object for the whole life of the copy. */
  readonly session: ExpressSession
  /** What was read, as JSON: a string is the smallest deep copy, and the quickest to compare. */
  #base: string
  /** What was carried over from another copy, which is to hear what becomes of it. */
  #applied: Snapshot | undefined
  /**
   * What a failed write may have left in the store, by key: when that turns up in a newer record, it is our own, and what is
   * here by then is a change of it.
   */
  #uncertain: Map<string, string | undefined> | undefined

  constructor(session: ExpressSession) {
    this.session = session
    this.#base = JSON.stringify(session)
  }

  /** Whether anything was changed here since the base, if only the order of keys. */
  get isChanged(): boolean {
    return this.#uncertain !== undefined || JSON.stringify(this.session) !== this.#base
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
      const isOurs = this.#uncertain?.has(key) && this.#uncertain.get(key) === theirParts.get(key)
      if (isOurs || ours.get(key) !== base.get(key)) conflicts.push(key)
      else this.#take(key, theirs)
    }
    this.#base = newBase
    return conflicts
  }

  #take(key: string, theirs: ExpressSession): void {
    assign(this.session, key, theirs)
    if (this.#uncertain?.delete(key) && this.#uncertain.size === 0) this.#uncertain = undefined
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

  /** This key was written by itself. */
  settle(key: keyof ExpressSession): void {
    this.#base = JSON.stringify({ ...JSON.parse(this.#base), [key]: this.session[key] })
  }

  /** The session as it is to be written now. */
  snapshot(): Snapshot {
    return this.#snapshot(JSON.stringify(this.session))
  }

  /**
   * A read that is adopted while it is being written may have seen it or not. Either way what was written is no change of
   * ours any more, once it was; and the next read, which follows then, tells who came last.
   */
  #snapshot(json: string): Snapshot {
    const base = this.#base
    return {
      json,
      written: () => {
        this.#base = this.#base === base ? json : merge(this.#base, base, json)
        this.#uncertain = undefined
        this.#applied?.written()
      },
      failed: () => {
        const [before, after] = [parts(base), parts(json)]
        const changed = changedKeys(before, after).filter((key) => key !== 'cookie')
        const uncertain = changed.map((key) => [key, after.get(key)] as const)
        if (uncertain.length > 0) this.#uncertain = new Map([...(this.#uncertain ?? []), ...uncertain])
        this.#applied?.failed()
      },
    }
  }
}

/** Top-level key → its JSON. `__proto__` is no key: assigning it would not add one. */
function parts(json: string): Map<string, string> {
  const entries = Object.entries(JSON.parse(json)).filter(([key]) => key !== '__proto__')
  return new Map(entries.map(([key, value]) => [key, JSON.stringify(value)]))
}

/** The JSON of `newer`, with what was changed from `base` to `json`. */
function merge(newer: string, base: string, json: string): string {
  const [result, before, after] = [parts(newer), parts(base), parts(json)]
  for (const key of changedKeys(before, after)) {
    const value = after.get(key)
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
