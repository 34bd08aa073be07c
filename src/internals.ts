/**
 * For shims and adapters, those in `compat/` first: the parts below `handshakeSession`, without its policy. The names
 * here follow the code and may change in any minor release.
 */
export { decode, parseHeader, readCookie, Verifier } from './cookie'
export { isAnonymous } from './handshake'
export { type Change, type Holder, LiveSession } from './live-session'
export { checkOrigin } from './origin'
export { recover } from './recovery'
export { type RegistryOptions, SessionRegistry } from './registry'
export { type ConnectionLike, corsOf, guardServer, isServer } from './socket-io'
export { isThenable, type SessionRequest, SessionStore } from './store'
export { StoredSession } from './stored-session'
export { type Ticket, Tickets } from './ticket'
export { WorkingCopy } from './working-copy'
