/**
 * For shims and adapters, those in `compat/` first: the parts below `handshakeSession`, without its policy. The names
 * here follow the code and may change in any minor release.
 */
export { isAnonymous } from './errors'
export { decode, parseHeader, readCookie, Verifier } from './handshake/cookie'
export { checkOrigin } from './handshake/origin'
export { type Ticket, Tickets } from './handshake/ticket'
export type { Holder, LiveSession } from './session/live-session'
export { type RegistryOptions, SessionRegistry } from './session/registry'
export type { SessionKeeper } from './session/session-methods'
export { commit } from './session/unit-of-work'
export { WorkingCopy } from './session/working-copy'
export { type Guard, guardServer, isServer } from './socket-io/namespaces'
export { guardOf, registryOf } from './socket-io/parts'
export { corsOf } from './socket-io/private-parts'
export { recover } from './socket-io/recovery'
export type { ConnectionLike, SocketLike } from './socket-io/socket-io-like'
export { storeOf } from './store/express-session'
export { isRecord, isThenable } from './store/record'
export { SessionStore } from './store/session-store'
