/** `compat/socket.io` on the oldest Socket.IO that this package stands on: a copy of the build, beside that. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type socketIO from 'handshake-session/compat/socket.io'
import type * as ownInternals from 'handshake-session/internals'
import type * as realSocketIO from 'socket.io'

const root = resolve(import.meta.dirname, '../..')
const require = createRequire(import.meta.url)
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'socket.io-4.6-')))
process.once('exit', () => rmSync(folder, { recursive: true }))
const copy = join(folder, 'node_modules/handshake-session')
mkdirSync(copy, { recursive: true })
for (const name of ['dist', 'package.json']) cpSync(join(root, name), join(copy, name), { recursive: true })
for (const name of [...Object.keys(dependencies), 'express-session'])
  symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
// Its main file is in `dist`.
symlinkSync(dirname(dirname(require.resolve('socket.io-4.6'))), join(folder, 'node_modules/socket.io'))

const requireThere = createRequire(join(folder, 'app.js'))
export const face = requireThere('handshake-session/compat/socket.io') as typeof socketIO
export const internals = requireThere('handshake-session/internals') as typeof ownInternals
export const real = requireThere('socket.io') as typeof realSocketIO
