/**
 * The Socket.IO that is installed beside this package has to be of version 4: with the old one left where it was, nothing here
 * can run, and that is said before anything else fails.
 */
import { createRequire } from 'node:module'
import { SessionError } from '../../src'

/** @throws SessionError `ERR_SESSION_OPTIONS` */
export function checkInstalled(): void {
  const { version } = createRequire(__filename)('socket.io/package.json') as { version: string }
  if (Number.parseInt(version, 10) >= 4) return
  throw new SessionError(
    'ERR_SESSION_OPTIONS',
    `compat/socket.io needs Socket.IO 4 and found socket.io ${version}: npm install socket.io@4`,
  )
}
