/**
 * Apps that serve zappajs clients: a current one with `bind`, and one with the root scope of zappajs 6.5, which calls the
 * three functions itself. And that client, as far as the server sees it; the one in a browser is `zappajs-client.js`.
 */
import type { Request, Response } from 'express'
import session from 'express-session'
import * as zappajs from 'handshake-session/compat/zappajs'
import type { Socket as ServerSocket } from 'socket.io'
import type { Socket } from 'socket.io-client'
import request from 'supertest'
import { onTestFinished } from 'vitest'
import { type App, ask, connect, next, startApp } from '../support/app.js'

/** Emits `set <id>` and `destroy <id>` when that was done, and fails when told to. */
export class Store extends session.MemoryStore {
  readonly failures: { get?: unknown; set?: unknown; throws?: boolean } = {}
  readonly written: string[] = []

  override get(...[id, callback]: Parameters<session.MemoryStore['get']>): void {
    if (this.failures.get) this.#fail(this.failures.get, callback)
    else super.get(id, callback)
  }

  override set(...[id, record, callback]: Parameters<session.MemoryStore['set']>): void {
    if (this.failures.set) {
      this.#fail(this.failures.set, callback)
      return
    }
    super.set(id, record, (error?: unknown) => {
      this.written.push(id)
      callback?.(error)
      this.emit(`set ${id}`)
    })
  }

  override destroy(...[id, callback]: Parameters<session.MemoryStore['destroy']>): void {
    super.destroy(id, (error?: unknown) => {
      callback?.(error)
      this.emit(`destroy ${id}`)
    })
  }

  #fail(error: unknown, callback?: (error: unknown) => void): void {
    if (this.failures.throws) throw error
    callback?.(error)
  }
}

export interface ZappaApp extends App {
  store: Store
  /** What `onError` was told. */
  errors: unknown[]
  zappa: zappajs.Binding<ServerSocket>
}

type BindOptions = Partial<zappajs.BindOptions<ServerSocket>>

/** A current app that calls `bind`. */
export async function startZappaApp(
  options: BindOptions = {},
  session: Partial<session.SessionOptions> = {},
): Promise<ZappaApp> {
  const store = new Store()
  const app = await startApp({ attach: false, io: { allowEIO3: true }, store, session })
  const errors: unknown[] = []
  const onError = (error: unknown) => errors.push(error)
  const zappa = zappajs.bind({ app: app.express, io: app.io, store, onError, ...options })
  onTestFinished(() => zappa.close())
  zappa.on('session', (_data, ack, ctx) => ack?.(view(ctx)))
  zappa.on('set', function (data) {
    Object.assign(this.session ?? {}, data)
  })
  return { ...app, store, errors, zappa }
}

export type Ack = (answer?: unknown) => void

/** The session as a handler sees it: null where there is none. */
function view({ session }: { session?: session.Session | undefined }): object | null {
  return session ? { id: session.id, ...JSON.parse(JSON.stringify(session)) } : null
}

type Address = Pick<App, 'url'>

export interface ZappaClient {
  socket: Socket
  /** The key that it was given; undefined when binding failed. */
  key: string | undefined
}

/** A client that has connected and bound itself, as zappajs-client 2.6.0 does on each `connect`. */
export async function connectZappa(app: Address, cookie: string): Promise<ZappaClient> {
  const socket = connect(app.url, cookie)
  await next(socket, 'connect')
  return { socket, key: await share(app, cookie, socket) }
}

/** Binds the socket to the session of the cookie. */
export async function share(app: Address, cookie: string, socket: Socket): Promise<string | undefined> {
  const settings = await ask<Record<string, string>>(socket, '__zappa_settings', null)
  const path = `${settings['zappa_prefix']}/socket/${settings['zappa_channel']}/${socket.id}`
  const { key } = (await askForKey(app, cookie, path)).body
  return key && (await ask<{ key?: string }>(socket, '__zappa_key', { key })).key
}

export function askForKey(app: Address, cookie: string, path = '/zappa/socket/__local/some-socket'): request.Test {
  return request(app.url).get(path).set('cookie', cookie).accept('json')
}

type Handler = (ctx: object) => unknown
type Middleware = (ctx: object, res: object, next: (error?: unknown) => unknown) => unknown

/** The root scope of zappajs 6.5, in its order: middleware, the app itself, then the rest. */
export function runZappa(app: App, options: zappajs.Options, main: (context: ZappaScope) => void): void {
  const context = new ZappaScope(app)
  zappajs.bind_middleware({ context, ...options })
  main(context)
  zappajs.bind_express({ context, ...options })
  zappajs.bind_io({ context, ...options })
}

export class ZappaScope {
  readonly app
  session_store: session.Store | undefined
  readonly #handlers: [string, Handler][] = []
  readonly #middleware: Middleware[] = []

  constructor({ express, io }: App) {
    this.app = express.set('zappa_channel', '__local').set('zappa_prefix', '/zappa')
    io.on('connection', (socket) => this.#connect(socket))
    this.on('__zappa_settings', (_data, ack) => ack?.(this.app.settings))
  }

  get(path: string, handler: (this: never) => unknown): void {
    this.app.get(path, (req: Request, res: Response) => {
      const { session, params } = req
      return handler.call({ req, res, session, params, json: (body: object) => res.json(body) } as never)
    })
  }

  on(event: string, handler: (this: never, data: unknown, ack: Ack | undefined, ctx: never) => unknown): void {
    const last: Handler = (ctx) => handler.call(ctx as never, Object(ctx).data, Object(ctx).ack, ctx as never)
    this.#handlers.push([event, this.#middleware.reduceRight(wrap, last)])
  }

  io_use(middleware: unknown): void {
    this.#middleware.push(middleware as Middleware)
  }

  #connect(socket: ServerSocket): void {
    const client = {}
    for (const [event, handler] of this.#handlers) {
      const run = (data?: unknown, ack?: unknown) => {
        handler({ id: socket.id, socket, client, event, data, ack, req: { body: data }, res: { locals: {} } })
      }
      if (event === 'connection') run()
      else socket.on(event, run)
    }
  }
}

function wrap(inner: Handler, middleware: Middleware): Handler {
  return (ctx) =>
    middleware(ctx, Object(ctx).res, (error) => {
      if (error) throw error
      return inner(ctx)
    })
}
