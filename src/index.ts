/** What users import, nothing else. */
import './augmentation'

export type { AtomicStore, RedisLike, Versioned } from './atomic'
export { SESSION_ERROR_CODES, SessionError, type SessionErrorCode } from './errors'
export type { Explanation, ExplanationStep, HandshakeLike } from './handshake'
export { HandshakeSessions, handshakeSession } from './handshake-session'
export type { Change } from './live-session'
export type { HandshakeSessionOptions, Secret, Stage } from './options'
export type { OriginRule, Origins, OriginTest } from './origin'
export type { SessionEnd } from './registry'
export type { SessionHandshake } from './socket-io'
export type { ExpressSession, SessionRecord, StoreLike } from './store'
export type { EndReason } from './stored-session'
