/** Session id → the room of its sockets: also how nodes name a session to each other, for it does not tell the id. */
import { createHash } from 'node:crypto'

const prefix = 'session:'

/** The id is random, so a plain hash of it cannot be turned back. */
export function roomOf(id: string): string {
  const hash = createHash('sha256').update(id).digest('base64url')
  return [prefix, hash].join('') // One string in memory; `+` would keep its two halves as well.
}

export function isRoom(name: unknown): name is string {
  return typeof name === 'string' && name.startsWith(prefix) && name.length === prefix.length + 43
}
