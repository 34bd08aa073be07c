/**
 * What zappajs gives to the functions of this folder, and what handlers get, as far as it is used here. `bind` makes a
 * context of the same shape for an app that is not zappajs (`own-context.ts`).
 */
import type { ExpressSession, StoreLike } from '../../src'

/** zappajs's root scope. Read when it is needed: the app may set the store after binding. */
export interface Context {
  app: { settings: object }
  /** The store of `@use session: …`. Without it there are no sessions on sockets. */
  session_store?: StoreLike | undefined
}

export interface RoutingContext extends Context {
  get(path: string, handler: (this: RequestContext) => unknown): unknown
}

export interface EventsContext extends Context {
  on(event: string, handler: EventHandler): unknown
}

export interface MiddlewareContext extends Context {
  io_use(middleware: EventMiddleware): unknown
}

/** `this` of a handler of `context.get`. */
export interface RequestContext {
  session?: (ExpressSession & { __socket?: Channels | undefined }) | null | undefined
  params: { channel_name: string; socket_id: string }
  res: { status(code: number): unknown; setHeader(name: string, value: string): unknown }
  json(body: object): unknown
}

/** `session.__socket`: channel name → the key that binds sockets to the session, and the socket that was bound last. */
export type Channels = Record<string, { id?: string | undefined; key: string }>

/** `this` of a handler of `context.on`, and what middleware gets first. */
export interface EventContext {
  /** The id of the socket. */
  id: string
  /** One plain object per socket, for whatever handlers want to keep; the binding is kept there, too. */
  client: Client
  session?: ExpressSession | undefined
  req?: { session?: ExpressSession | undefined } | undefined
}

export interface Client {
  __session_id?: string | undefined
}

/** May return a promise; the session is then saved when it has resolved. */
export type EventHandler<C extends EventContext = EventContext> = (
  this: C,
  data: unknown,
  ack: Message['ack'],
  ctx: C,
) => unknown
/** `next()` runs the handler and returns what it returned. */
export type EventMiddleware<C extends EventContext = EventContext> = (
  ctx: C,
  res: unknown,
  next: (error?: unknown) => unknown,
) => unknown

/** How the bindings differ from each other; the same for all of them. */
export interface Options {
  /**
   * What a socket has that is not bound to a session: `'socket-id'`, as in zappajs 6.5: a session of its own, stored under
   * the socket's id; `'none'`, as in 6.3 and 6.4: none. @default 'socket-id'
   */
  unbound?: 'socket-id' | 'none' | undefined
  /** Milliseconds after its last change for which the store keeps a session under a socket's id. @default 86_400_000 */
  unboundLifetime?: number | undefined
  /** `'session'`: key documents expire when their session does; `'store'`: whenever the store thinks fit. @default 'session' */
  keyLifetime?: 'session' | 'store' | undefined
  /**
   * Whether the key request may say which socket a session has. By default the socket itself tells, when it shows its key.
   * For a Socket.IO server of its own that still runs the original. @default false
   */
  trustSocketId?: boolean | undefined
  /** Milliseconds that the store has for an answer. @default 10_000 */
  timeout?: number | undefined
  /** Names of app settings that clients may read besides `zappa_prefix` and `zappa_channel`. @default [] */
  settings?: readonly string[] | undefined
  /** Told what a handler threw or rejected with, and every failure of the store. @default writes to `console.error` */
  onError?: ((error: unknown) => void) | undefined
}

export interface Message {
  data: unknown
  /** Tells the client; undefined when it did not ask for an answer. */
  ack: ((answer?: unknown) => void) | undefined
}

/** What a client sent: clients are free to leave out the data, the ack, or both. */
export function messageOf([first, second]: unknown[]): Message {
  const [data, ack] = typeof first === 'function' ? [undefined, first] : [first, second]
  return { data, ack: typeof ack === 'function' ? (ack as Message['ack']) : undefined }
}

export interface Settings {
  /** Where the key request is. */
  readonly prefix: string
  /** The name under which a session keeps its socket. */
  readonly channel: string
}

export function settingsOf({ app }: Context): Settings {
  const { zappa_prefix: prefix, zappa_channel: channel } = app.settings as Record<string, string | undefined>
  return { prefix: prefix ?? '/zappa', channel: channel ?? '__local' }
}

export function report(error: unknown, { onError }: Options): void {
  try {
    if (onError) onError(error)
    else console.error('zappajs:', error)
  } catch (thrown) {
    console.error('zappajs: onError itself threw:', thrown)
  }
}
