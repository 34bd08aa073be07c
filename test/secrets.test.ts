/**
 * What leaves the process: the log with `DEBUG=*`, errors, what clients see, rooms, what the adapter carries to other nodes.
 * `secrets/program.mjs` lets an app and the old packages do all that they do, and records it.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'

interface Recording {
  /** Ids, signatures, cookies and secrets. */
  hidden: string[]
  seen: Record<'packets' | 'rooms' | 'adapter' | 'errors' | 'explanations' | 'pages', string[]>
}

let recording: Recording
let log: string[]

beforeAll(async () => {
  const env = { ...process.env, DEBUG: '*', DEBUG_COLORS: 'no', DEBUG_HIDE_DATE: 'yes' }
  const program = join(import.meta.dirname, 'secrets/program.mjs')
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program], { env, maxBuffer: 2 ** 26 })
  recording = JSON.parse(stdout)
  log = stderr.split('\n')
})

const tells = (text: string) => recording.hidden.some((hidden) => text.includes(hidden))
/** Not ours: express-session logs ids itself, and a client in Node logs the headers that it was given. */
const isForeign = (line: string) => / express-session /.test(line) || line.includes('engine.io-client:socket options')

test('no line of the log tells a session id or a secret', () => {
  expect(log.filter((line) => line.includes('handshake-session')).length).toBeGreaterThan(5)
  expect(log.filter(isForeign).some(tells)).toBe(true) // So ids are found where they are.
  expect(log.filter((line) => !isForeign(line) && tells(line))).toEqual([])
})

test.each([
  ['packets that clients see', 'packets', /hello/],
  ['room names', 'rooms', /^session:/],
  ['adapter traffic', 'adapter', /handshake-session.*changed/s],
  ['error messages, stacks and causes', 'errors', /ERR_SESSION_STORE/],
  ['explanations', 'explanations', /signed with none/],
  ['pages and scripts', 'pages', /CONNECT_SID/],
] as const)('%s tell no session id and no secret', (_name, kind, sample) => {
  expect(recording.seen[kind].join('\n')).toMatch(sample)
  expect(recording.seen[kind].filter(tells)).toEqual([])
})
