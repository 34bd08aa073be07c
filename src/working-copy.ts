/**
 * A session that somebody works on, and the record it was read from: what was changed here, and how to carry that over
 * to a newer record. Git's rebase, per top-level key. No I/O; `live-session.ts` reads and writes.
 */
import type { ExpressSession } from './store'

export class WorkingCopy {
  /** One object for the whole life of the copy. */
  readonly session: ExpressSession
  /** What was read, as JSON: a string is the smallest deep copy, and the quickest to compare. */
  #base: string

  constructor(session: ExpressSession) {
    this.session = session
    this.#base = JSON.stringify(session)
  }

  /** Whether anything was changed here since the base. */
  get isChanged(): boolean {
    return JSON.stringify(this.session) !== this.#base
  }

  /**
   * Makes `theirs`, a session made of a newer record, the base. Every key that only they changed takes their value; a
   * key that was changed here keeps ours. Objects under unchanged keys stay the same objects.
   * @returns the keys that both sides changed, and to different values
   */
  rebase(theirs: ExpressSession): string[] {
    const newBase = JSON.stringify(theirs)
    if (newBase === this.#base) return []
    const base = parts(this.#base)
    const theirParts = parts(newBase)
    const ours = parts(JSON.stringify(this.session))
    const conflicts: string[] = []
    for (const key of new Set([...base.keys(), ...theirParts.keys()])) {
      const their = theirParts.get(key)
      const our = ours.get(key)
      if (their === base.get(key) || their === our) continue
      if (our !== base.get(key)) conflicts.push(key)
      else assign(this.session, key, theirs)
    }
    this.#base = newBase
    return conflicts
  }

  /** Carries over what was changed in `other` since its base. */
  apply(other: WorkingCopy): void {
    const base = parts(other.#base)
    const now = JSON.stringify(other.session)
    const clone = JSON.parse(now) as ExpressSession
    const ours = parts(now)
    for (const key of new Set([...base.keys(), ...ours.keys()])) {
      if (key !== 'cookie' && ours.get(key) !== base.get(key)) assign(this.session, key, clone)
    }
  }

  /** This key was written by itself. */
  settle(key: keyof ExpressSession): void {
    this.#base = JSON.stringify({ ...JSON.parse(this.#base), [key]: this.session[key] })
  }

  /** The session as it would be written now; hand it to `written` once it was. */
  toJSON(): string {
    return JSON.stringify(this.session)
  }

  /** What was written is what the store holds: the new base. */
  written(json: string): void {
    this.#base = json
  }
}

/** Top-level key → its JSON. `__proto__` is no key: assigning it would not add one. */
function parts(json: string): Map<string, string> {
  const entries = Object.entries(JSON.parse(json)).filter(([key]) => key !== '__proto__')
  return new Map(entries.map(([key, value]) => [key, JSON.stringify(value)]))
}

type Keyed = Record<string, unknown>

function assign(session: ExpressSession, key: string, from: ExpressSession): void {
  const [target, source] = [session, from] as unknown as [Keyed, Keyed]
  if (Object.hasOwn(source, key)) target[key] = source[key]
  else delete target[key]
}
