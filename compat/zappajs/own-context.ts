/**
 * A context as zappajs would give it, made of an Express app and a Socket.IO server: routes with `this`, handlers and
 * middleware with an event context. Handlers are put on each socket when it connects.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { StoreLike } from '../../src'
import type {
  Client,
  EventContext,
  EventHandler,
  EventMiddleware,
  EventsContext,
  Message,
  MiddlewareContext,
  Options,
  RequestContext,
  RoutingContext,
} from './context'
import { messageOf, report } from './context'

/** The part of an Express 4 or 5 app that is used. */
export interface AppLike {
  readonly settings: object
  set(name: string, value: unknown): unknown
  get(path: string, ...handlers: RequestHandler[]): unknown
}

type RequestHandler = (request: never, response: never, next: (error?: unknown) => void) => unknown

/** The part of a Socket.IO 4 server that is used. */
export interface ServerLike<S extends SocketLike = SocketLike> {
  on(event: 'connection', listener: (socket: S) => void): unknown
  off(event: 'connection', listener: (socket: S) => void): unknown
}

export interface SocketLike {
  readonly id: string
  on(event: string, listener: (...args: unknown[]) => void): unknown
}

/** `this` of a handler. */
export interface SocketContext<S extends SocketLike = SocketLike> extends EventContext, Message {
  socket: S
  event: string
  req: { body: unknown; session?: EventContext['session'] }
  res: { locals: object }
}

type Handle<S extends SocketLike> = (ctx: SocketContext<S>) => unknown
type Response = ServerResponse & { status(code: number): Response; json(body: object): Response }

export class OwnContext<S extends SocketLike> implements RoutingContext, EventsContext, MiddlewareContext {
  readonly app: AppLike
  session_store: StoreLike | undefined
  readonly #before: RequestHandler[]
  readonly #options: Options
  readonly #handlers: [string, Handle<S>][] = []
  readonly #middleware: EventMiddleware<SocketContext<S>>[] = []

  /** @param before run before the handlers of `get` */
  constructor(app: AppLike, store: StoreLike, before: RequestHandler[], options: Options) {
    this.app = app
    this.session_store = store
    this.#before = before
    this.#options = options
  }

  get(path: string, handler: (this: RequestContext) => unknown): void {
    this.app.get(
      path,
      ...this.#before,
      (request: IncomingMessage & Pick<RequestContext, 'session' | 'params'>, res: Response) => {
        const { session, params } = request
        return handler.call({ session, params, res, json: (body) => res.json(body) })
      },
    )
  }

  /** Runs around the handlers that are registered after it, the first one outermost. */
  io_use(middleware: EventMiddleware<SocketContext<S>>): void {
    this.#middleware.push(middleware)
  }

  on(event: string, handler: EventHandler<SocketContext<S>>): void {
    const last: Handle<S> = (ctx) => handler.call(ctx, ctx.data, ctx.ack, ctx)
    this.#handlers.push([event, this.#middleware.reduceRight(wrap, last)])
  }

  /** Puts the handlers on a socket that has just connected. */
  readonly connect = (socket: S): void => {
    const client: Client = {}
    for (const [event, handle] of this.#handlers) {
      const listener = (...args: unknown[]) => this.#run(handle, contextOf(socket, client, event, messageOf(args)))
      if (event === 'connection') listener()
      else socket.on(event, listener)
    }
  }

  async #run(handle: Handle<S>, ctx: SocketContext<S>): Promise<void> {
    try {
      await handle(ctx)
    } catch (error) {
      report(error, this.#options)
    }
  }
}

function contextOf<S extends SocketLike>(socket: S, client: Client, event: string, message: Message): SocketContext<S> {
  return { id: socket.id, socket, client, event, ...message, req: { body: message.data }, res: { locals: {} } }
}

function wrap<S extends SocketLike>(inner: Handle<S>, middleware: EventMiddleware<SocketContext<S>>): Handle<S> {
  return (ctx) =>
    middleware(ctx, ctx.res, (error) => {
      if (error != null) throw error
      return inner(ctx)
    })
}
