/** Session id → the room of its sockets. Nodes name sessions by it, too, as it does not tell the id. */
import * as crypto from 'node:crypto'

const prefix = 'session:'

/** `crypto.hash` (Node 20.12) makes no native object. */
const sha256: (text: string) => string =
  typeof crypto.hash === 'function'
    ? (text) => crypto.hash('sha256', text, 'base64url')
    : (text) => crypto.createHash('sha256').update(text).digest('base64url')

/** The id is random, so a plain hash of it cannot be reversed. */
export function roomOf(id: string): string {
  return [prefix, sha256(id)].join('') // One flat string; `+` would keep both halves in memory.
}

export function isRoom(name: unknown): name is string {
  return typeof name === 'string' && name.startsWith(prefix) && name.length === prefix.length + 43
}
