/**
 * Every public member of Socket.IO 0.9.19, 1.7.4 and 2.5.1, read off these themselves: it is here, or in the table of
 * compat/README.md and says when it is used what to write instead.
 */
import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server as HttpServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import socketIO from 'handshake-session/compat/socket.io'
import { describe, expect, onTestFinished, test } from 'vitest'
import { notThere, type Part } from '../../compat/socket.io/not-there.js'
import { connect, next } from '../support/app.js'
import { clients } from '../support/clients.js'
import { join, listen } from './old-server.js'

type Parts = Partial<Record<Part, object>>
interface OldServer extends EventEmitter {
  sockets: EventEmitter & { adapter?: object }
  close(): void
}
type OldModule = ((server: HttpServer) => OldServer) & {
  listen(server: HttpServer, options?: object): OldServer
  Socket: new (...args: unknown[]) => object
}

const require = createRequire(import.meta.url)
const root = resolve(import.meta.dirname, '../..')

/** No members of Node's own, and none whose name says that it is private. */
function members(object: object): string[] {
  const node = new Set<object>([Object.prototype, Function.prototype, EventEmitter.prototype])
  const inherited = new Set([...Object.getOwnPropertyNames(new EventEmitter()), 'constructor', 'prototype', 'domain'])
  const names = new Set<string>()
  for (let at = object; at && !node.has(at); at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (!name.startsWith('_') && !inherited.has(name)) names.add(name)
    }
  }
  if (typeof object === 'function') for (const name of ['name', 'length', 'arguments', 'caller']) names.delete(name)
  return [...names]
}

async function oldest(): Promise<Parts> {
  const module = require('socket.io-0') as OldModule
  const server = module.listen(createServer(), { 'log level': 0 })
  return { module, server, namespace: server.sockets, socket: new module.Socket(server, 'id', server.sockets, true) }
}

async function start(version: string, name: string): Promise<Parts> {
  const module = require(name) as OldModule
  const http = createServer()
  const server = module(http)
  onTestFinished(() => server.close())
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const connected = next<{ client: object }>(server.sockets as never, 'connection')
  const generation = clients.find((client) => client.version === version)?.connect
  connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, undefined, {}, generation)
  const socket = await connected
  return {
    module,
    server,
    namespace: server.sockets,
    socket,
    client: socket.client,
    adapter: server.sockets.adapter as object,
  }
}

async function ours(): Promise<Record<Part, object>> {
  const { io, url } = await listen()
  const [, socket] = await join(io, url, connect as never)
  return {
    module: socketIO,
    server: io,
    namespace: io.sockets,
    socket,
    client: socket.client,
    adapter: io.sockets.adapter,
  }
}

const texts = new Map(
  notThere.flatMap(([part, names, text]) => names.map((name) => [`${part}.${name}`, text] as const)),
)
/** Were undefined as well, or are so until something is set. */
const unset = new Set(['server.eio', 'socket.acks'])

describe.each([
  ['0.9.19', oldest],
  ['1.7.4', () => start('1.7', 'socket.io-1')],
  ['2.5.1', () => start('2.5', 'socket.io-2')],
] as const)('the members of %s', (_, make) => {
  test('are here, or say what to write instead', async () => {
    const [old, now] = [await make(), await ours()]
    const missing: string[] = []
    for (const [part, object] of Object.entries(old) as [Part, object][]) {
      expect(members(object).length).toBeGreaterThan(0)
      for (const name of members(object)) {
        const text = texts.get(`${part}.${name}`)
        const read = () => Reflect.get(now[part], name)
        if (text) expect(read, `${part}.${name}`).toThrow(text)
        else if (!unset.has(`${part}.${name}`) && (!(name in now[part]) || read() === undefined))
          missing.push(`${part}.${name}`)
      }
    }
    expect(missing).toEqual([])
  })
})

test('the table of the README is that of the code', () => {
  const readme = readFileSync(resolve(root, 'compat/README.md'), 'utf8')
  const [, table = ''] = readme.split('### Not there')
  const rows = table.split('\n## ')[0]?.match(/^\| [a-z]+ \| `.*/gm)
  expect(rows).toEqual(
    notThere.map(([part, names, text]) => `| ${part} | ${names.map((name) => `\`${name}\``).join(', ')} | ${text} |`),
  )
})
