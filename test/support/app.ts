/**
 * A real app for tests: Express 5 with express-session, Socket.IO 4, an HTTP server on loopback, and clients of every
 * generation. Everything that was opened is closed after the test.
 */
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import express, { type Express, type RequestHandler } from 'express'
import session from 'express-session'
import { type HandshakeSessionOptions, type HandshakeSessions, handshakeSession } from 'handshake-session'
import { Server, type ServerOptions, type Socket as ServerSocket } from 'socket.io'
import { io as connect4, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import request from 'supertest'
import { onTestFinished } from 'vitest'
import { secret } from './secret.js'

export { secret }

export interface AppOptions extends Partial<HandshakeSessionOptions> {
  /** Options of Socket.IO. */
  io?: Partial<ServerOptions>
  /** Options of express-session beyond store, secret and name. */
  session?: Partial<session.SessionOptions>
  /** What `handshakeSession` is given: the options of `session()` again, or what that returned. @default 'options' */
  form?: 'options' | 'middleware'
  /** Whether `sessions` is attached to the server. @default true */
  attach?: boolean
}

export interface App {
  url: string
  express: Express
  /** The `session(…)` that the routes have. */
  middleware: RequestHandler
  io: Server
  sessions: HandshakeSessions
  store: session.Store
  /** Logs in over HTTP; the Cookie header of the new session. */
  login(user?: string): Promise<string>
  /** A GET with that cookie; the body. */
  get(path: string, cookie: string): Promise<unknown>
}

declare module 'express-session' {
  interface SessionData {
    user: string
    count: number
    items: string[]
    [key: string]: unknown
  }
}

/** Starts the app. Routes: `/login/:user`, `/set/:key/:value`, `/session`, `/logout`, `/regenerate`. */
export async function startApp({
  io: ioOptions,
  session: sessionOptions,
  attach = true,
  form = 'options',
  ...rest
}: AppOptions = {}): Promise<App> {
  const options = { store: new session.MemoryStore(), secret, onError: () => {}, ...rest } as HandshakeSessionOptions
  const app = express()
  const forSession = {
    store: options.store as session.Store,
    secret: options.secret as string,
    name: options.name ?? options.key,
  }
  const middleware = session({ resave: false, saveUninitialized: false, ...sessionOptions, ...forSession })
  app.use(middleware)
  addRoutes(app)
  const server = createServer({ maxHeaderSize: 4_000_000 }, app)
  const io = new Server(server, ioOptions)
  const { store: _store, name: _name, key: _key, secret: _secret, ...others } = options
  const sessions = form === 'options' ? handshakeSession(options) : handshakeSession(middleware, others)
  if (attach) sessions.attach(io)
  server.listen(0, '127.0.0.1', 4_096) // A whole crowd may wait to be accepted; by default 511.
  await once(server, 'listening')
  onTestFinished(async () => {
    sessions.close()
    await io.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    express: app,
    middleware,
    io,
    sessions,
    store: forSession.store,
    login: async (user = 'ann') => cookieOf(await request(url).get(`/login/${user}`).expect(200)),
    get: async (path, cookie) => (await request(url).get(path).set('cookie', cookie).expect(200)).body,
  }
}

function addRoutes(app: Express): void {
  app.get('/login/:user', (req, res) => {
    req.session.user = req.params.user
    res.json(req.session)
  })
  app.get('/set/:key/:value', (req, res) => {
    req.session[req.params.key] = req.params.value
    res.json(req.session)
  })
  app.get('/session', (req, res) => {
    res.json(req.session)
  })
  app.get('/logout', (req, res) => {
    req.session.destroy((error) => res.json({ error }))
  })
  app.get('/regenerate', (req, res) => {
    req.session.regenerate((error) => res.json({ error }))
  })
}

/** As if another node had told it. */
export function hear(app: App, news: unknown): void {
  EventEmitter.prototype.emit.call(app.io.sockets, 'handshake-session', news)
}

/** The Cookie header that a browser would send after this response. */
export function cookieOf(response: { headers: Record<string, unknown> }): string {
  const [cookie] = (response.headers['set-cookie'] ?? []) as string[]
  if (!cookie) throw new Error('the response sets no cookie')
  return cookie.slice(0, cookie.indexOf(';'))
}

/** The session id that a Cookie header stands for. */
export function idOf(cookie: string): string {
  const value = decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1))
  return value.slice(2, value.lastIndexOf('.'))
}

export type ClientOptions = Partial<ManagerOptions & SocketOptions>
export type Connect = (url: string, options?: ClientOptions) => Socket

/** A Socket.IO 4 client that does not reconnect and shares no connection, closed after the test. */
export function connect(url: string, cookie?: string, options: ClientOptions = {}, io: Connect = connect4): Socket {
  const client = io(url, {
    forceNew: true,
    reconnection: false,
    ...(cookie === undefined ? {} : { extraHeaders: { cookie } }),
    ...options,
  })
  onTestFinished(() => void client.disconnect())
  return client
}

/** The next such event: its first argument. Of `connect` and `connect_error`, whichever comes first decides. */
export function next<T = unknown>(emitter: EmitterLike, event: string): Promise<T> {
  return new Promise((resolve, reject) => {
    emitter.once(event, (value: T) => resolve(value))
    if (event === 'connect') emitter.once('connect_error', reject)
    if (event === 'connect_error') emitter.once('connect', () => reject(new Error('it was let in')))
  })
}

/** The next client has asked to be let in, and what that begins at once has begun. */
export async function nextAsks(app: App): Promise<void> {
  const conn = await next<EventEmitter>(app.io.engine as never, 'connection')
  await once(conn, 'packet')
  for (let turns = 0; turns < 20; turns++) await turn()
}

/** Connects; both ends of the connection. */
export async function pair(
  app: App,
  cookie: string,
  options: ClientOptions = {},
): Promise<{ client: Socket; socket: ServerSocket }> {
  const connection = next<ServerSocket>(app.io, 'connection')
  const client = connect(app.url, cookie, options)
  await next(client, 'connect')
  return { client, socket: await connection }
}

/** Emits, and waits for the answer. */
export function ask<T = unknown>(client: Socket, event: string, ...args: unknown[]): Promise<T> {
  return new Promise((answer) => client.emit(event, ...args, answer))
}

interface EmitterLike {
  once(event: string, listener: (value: never) => void): unknown
}
