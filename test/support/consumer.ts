/**
 * A project that has this package installed, without the wait for an install: the packed files in its node_modules, and
 * beside them a link to everything that is installed here; of Socket.IO a copy, as npm has it, for its types are
 * found as those of a neighbour (`src/augmentation.ts`). `package.test.ts` does install.
 */
import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { makeFolder } from './daemon.js'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const installed = join(root, 'node_modules')

/**
 * The folder of the project; `removeFolder` it after the test.
 * @param linked whether Socket.IO, too, is a link, as pnpm has its packages
 */
export async function makeConsumer({ linked = false } = {}): Promise<string> {
  const folder = await makeFolder()
  const modules = join(folder, 'node_modules')
  const ours = join(modules, 'handshake-session')
  await mkdir(ours, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  for (const name of await readdir(installed)) {
    const [from, to] = [join(installed, name), join(modules, name)]
    await (name === 'socket.io' && !linked ? cp(from, to, { recursive: true }) : symlink(from, to))
  }
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root })
  await run('tar', ['-xzf', stdout.trim(), '--strip-components=1', '-C', ours], { cwd: folder })
  return folder
}

/** Compiles with TypeScript as it is installed under this name; what it complains of, empty if of nothing. */
export async function compile(typescript: string, options: readonly string[], cwd: string): Promise<string> {
  const compiler = join(installed, typescript, 'bin/tsc')
  return run(process.execPath, [compiler, ...options], { cwd }).then(
    () => '',
    ({ stdout, message }: { stdout?: string; message: string }) => stdout || message,
  )
}
