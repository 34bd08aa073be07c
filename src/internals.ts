/**
 * For shims and adapters, those in `compat/` first: the parts below `handshakeSession`, without its policy. The names
 * here follow the code and may change in any minor release.
 */
export { type Change, type Holder, LiveSession } from './live-session'
export { type RegistryOptions, SessionRegistry } from './registry'
export { type SessionRequest, SessionStore } from './store'
