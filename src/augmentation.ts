/**
 * Types `socket.handshake.session` and `socket.handshake.sessionID`. Socket.IO does not export its `Handshake`, so the
 * file that declares it is named: once as a path of the package, which resolves under `moduleResolution: node10` and
 * `paths`, and once as the neighbour that it is of an installed handshake-session, for `node16` and `bundler`.
 */
import type { SessionHandshake } from './socket-io/socket-io-like'

/** @ts-ignore pnpm links its packages: once imported, the neighbour is known to be the very file that Socket.IO has */
export type {} from '../../../socket.io/dist/socket-types'

/** @ts-ignore one of the two does not resolve */
declare module 'socket.io/dist/socket-types' {
  interface Handshake extends SessionHandshake {}
}

/** @ts-ignore one of the two does not resolve */
declare module '../../../socket.io/dist/socket-types' {
  interface Handshake extends SessionHandshake {}
}
