/** Session id → the room of its sockets: also how nodes name a session to each other, for it does not tell the id. */
import * as crypto from 'node:crypto'

const prefix = 'session:'

/** In one go where Node can (20.12): that makes no native object. */
const sha256: (text: string) => string =
  typeof crypto.hash === 'function'
    ? (text) => crypto.hash('sha256', text, 'base64url')
    : (text) => crypto.createHash('sha256').update(text).digest('base64url')

/** The id is random, so a plain hash of it cannot be turned back. */
export function roomOf(id: string): string {
  return [prefix, sha256(id)].join('') // One string in memory; `+` would keep its two halves as well.
}

export function isRoom(name: unknown): name is string {
  return typeof name === 'string' && name.startsWith(prefix) && name.length === prefix.length + 43
}
