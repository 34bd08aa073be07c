/**
 * The Socket.IO that is installed beside this package has to be of version 4: with the old one left where it was, nothing here
 * can run, and that is said before anything else fails.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { SessionError } from '../../src'

/** @throws SessionError `ERR_SESSION_OPTIONS` */
export function checkInstalled(): void {
  const version = installedVersion()
  if (Number.parseInt(version, 10) >= 4) return
  throw new SessionError(
    'ERR_SESSION_OPTIONS',
    `compat/socket.io needs Socket.IO 4 and found socket.io ${version}: npm install socket.io@4`,
  )
}

/** Read from its folder: not every version lets its package.json be required. */
export function installedVersion(): string {
  let folder = dirname(createRequire(__filename).resolve('socket.io'))
  while (!isPackage(folder) && folder !== dirname(folder)) folder = dirname(folder)
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version
}

/** Of its folders some have a package.json that says nothing but how modules are written. */
function isPackage(folder: string): boolean {
  const file = join(folder, 'package.json')
  return existsSync(file) && readFileSync(file, 'utf8').includes('"version"')
}
