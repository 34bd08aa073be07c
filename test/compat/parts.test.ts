/** Small parts of the shims, by themselves: what no app can show in a few lines. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { Socket as NetSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type * as answers from '../../compat/answer.js'
import type * as handshakeData from '../../compat/socket.io/handshake-data.js'
import type * as origins from '../../compat/socket.io/origins.js'

const require = createRequire(import.meta.url)
const root = resolve(import.meta.dirname, '../..')
/** As it was built. */
const built = <Part>(path: string) => require(join(root, 'dist/compat', path)) as Part

const { ask, checkTimeout } = built<typeof answers>('answer')
const { copyToRequest, giveOldAddress, isSameJSON, readAsRequest } =
  built<typeof handshakeData>('socket.io/handshake-data')
const { corsOrigin } = built<typeof origins>('socket.io/origins')

type Handshake = Parameters<typeof readAsRequest>[0]

describe('ask', () => {
  test('leaves no timer behind, and none that keeps the process alive', async () => {
    const [start, clear] = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'clearTimeout')]
    onTestFinished(() => {
      start.mockRestore()
      clear.mockRestore()
    })
    await ask('it', 1_000, (answer) => answer())
    const timer = start.mock.results[0]?.value as NodeJS.Timeout
    expect(timer.hasRef()).toBe(false)
    expect(clear).toHaveBeenCalledExactlyOnceWith(timer)
  })

  test.each([[0], [-1], [Number.NaN], [2 ** 31], ['1000'], [null]])('%j is no timeout', (timeout) => {
    expect(() => checkTimeout(timeout)).toThrow('expected milliseconds above 0')
  })

  test('a timeout, and none', () => {
    expect([checkTimeout(1), checkTimeout(2 ** 31 - 1), checkTimeout()]).toEqual([1, 2 ** 31 - 1, 10_000])
  })
})

describe('the data of an authorizer', () => {
  const request = () => Object.assign(new IncomingMessage(new NetSocket()), { user: 'of the request' })

  test('over WebTransport there is no request', () => {
    const handshake = { headers: {}, address: undefined } as never as Handshake
    readAsRequest(handshake, null)
    giveOldAddress(handshake, null)
    copyToRequest(handshake, {}, null)
    expect(handshake).toEqual({ headers: {}, address: undefined })
    expect(Object.getPrototypeOf(handshake)).toBe(Object.prototype)
  })

  test('res is one, the same each time, and may be set; a second reading changes nothing', () => {
    const [handshake, of] = [{} as Handshake & { res: unknown }, request()]
    readAsRequest(handshake, of)
    const { res } = handshake
    expect(res).toBeInstanceOf(ServerResponse)
    expect(handshake.res).toBe(res)
    handshake.res = 'mine'
    readAsRequest(handshake, of)
    expect(handshake.res).toBe('mine')
  })

  test('res is that of the request, as long as that was not answered', () => {
    const [handshake, of] = [{} as Handshake & { res: unknown }, request()]
    const res = new ServerResponse(of)
    readAsRequest(handshake, Object.assign(of, { res }))
    expect(handshake.res).toBe(res)
  })

  test('what was there before is not copied to the request', () => {
    const [handshake, of] = [{ user: 'of before', other: 1 } as never as Handshake, request()]
    const before = { ...handshake }
    Object.assign(handshake, { other: 2 })
    copyToRequest(handshake, before, of)
    expect(of).toMatchObject({ user: 'of the request', other: 2 })
  })

  test.each([
    [{ a: [1, { b: null }] }, { a: [1, { b: null }] }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1, b: 2 }, { a: 1 }, false],
    [[], {}, false],
    [{ a: 1 }, null, false],
    [null, {}, false],
    ['x', { length: 1 }, false],
    [{ toString: 1 }, { valueOf: 1 }, false],
    [{ valueOf: Object.prototype.valueOf }, { a: 1 }, false],
  ])('isSameJSON %j, %j: %s', (one, other, isSame) => {
    expect(isSameJSON(one, other)).toBe(isSame)
  })
})

describe('origins', () => {
  function allows(rules: unknown, origin: string | undefined): boolean {
    let told: unknown
    corsOrigin(rules)(origin, (error, allowed) => {
      told = error ?? allowed
    })
    return told === true
  }

  test.each([
    ['*:*', undefined, false],
    ['*:*', 'null', true],
    ['*:80', 'null', false],
    ['*', 'https://a.example:8443', true],
    ['a.example', 'https://a.example', true],
    ['a.example:443', 'https://a.example', true],
    ['a.example:80', 'https://a.example', false],
    ['https://a.example/', 'https://a.example', true],
    ['https://a.example', 'https://b.example', false],
    ['a.example:*', 'http://b.example', false],
    ['*:8080', 'http://b.example', false],
  ])('%s, a page of %s: %s', (rules, origin, allowed) => {
    expect(allows(rules, origin)).toBe(allowed)
  })

  test('a function that throws refuses', () => {
    const thrown = () => {
      throw new Error('of the app')
    }
    expect(allows(thrown, 'https://a.example')).toBe(false)
  })
})

test('the version of Socket.IO is that of its package.json, not of one that says how modules are written', () => {
  const folder = mkdtempSync(join(tmpdir(), 'installed-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const dist = join(folder, 'node_modules/socket.io/dist')
  mkdirSync(dist, { recursive: true })
  writeFileSync(join(dist, 'index.js'), '')
  writeFileSync(join(dist, 'package.json'), '{ "type": "commonjs" }')
  writeFileSync(join(dist, '../package.json'), '{ "name": "socket.io", "version": "4.99.0", "main": "dist/index.js" }')
  const source = join(root, 'dist/compat/socket.io/installed.js')
  const there = join(folder, 'node_modules/handshake-session/installed.js')
  mkdirSync(join(there, '..'))
  writeFileSync(there, readFileSync(source, 'utf8').replace('require("../../src")', '{}'))
  expect(require(there).installedVersion()).toBe('4.99.0')
})
