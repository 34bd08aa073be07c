/** Session id → the room of its sockets: also how nodes name a session to each other, for it does not tell the id. */
import { sha256 } from './hash'

const prefix = 'session:'

/** The id is random, so a plain hash of it cannot be turned back. */
export function roomOf(id: string): string {
  return [prefix, sha256(id, 'base64url')].join('') // One string in memory; `+` would keep its two halves as well.
}

export function isRoom(name: unknown): name is string {
  return typeof name === 'string' && name.startsWith(prefix) && name.length === prefix.length + 43
}
