/** Records as JSON, compared and merged per top-level key. */

import { attempt, SessionError } from '../errors'

/** @throws SessionError `ERR_SESSION_STORE` if JSON cannot hold it */
export function writtenAs(session: object): string {
  try {
    return JSON.stringify(session)
  } catch (cause) {
    const message = `the session cannot be written as JSON: ${(cause as Error).message}`
    throw new SessionError('ERR_SESSION_STORE', message, { cause })
  }
}

/** The JSON of a session. A key whose value JSON cannot hold is as in `base`, its record: it cannot be written either. */
export function writableJSON(session: object, base: string): string {
  return attempt(() => JSON.stringify(session)) ?? JSON.stringify(withoutUnwritable(session, JSON.parse(base)))
}

function withoutUnwritable(session: object, record: Record<string, unknown>): object {
  const entries = Object.entries(session)
  return Object.fromEntries(entries.map(([key, value]) => [key, canBeWritten(value) ? value : record[key]]))
}

function canBeWritten(value: unknown): boolean {
  return attempt(() => [JSON.stringify(value)]) !== undefined
}

/** Top-level key → its JSON, without `__proto__`: assigning that would add no key. */
export function parts(json: string): Map<string, string> {
  const entries = Object.entries(JSON.parse(json)).filter(([key]) => key !== '__proto__')
  return new Map(entries.map(([key, value]) => [key, JSON.stringify(value)]))
}

/** The JSON of `newer`, with these changes and the cookie of `json`. */
export function merge(newer: string, json: string, changes: Map<string, string | undefined>): string {
  const result = parts(newer)
  for (const [key, value] of [...changes, ['cookie', parts(json).get('cookie')] as const]) {
    if (value === undefined) result.delete(key)
    else result.set(key, value)
  }
  return `{${[...result].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}`
}

/** The keys that only one of the two has, or that differ; their order does not count. */
export function changedKeys(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key))
}
