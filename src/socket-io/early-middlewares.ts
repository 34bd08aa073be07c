/**
 * Middlewares that were added before `attach` run before the guard, and find no session. Which of them is meant to is not
 * known, so the app is told when one looks for it: once, and outside production only.
 */
import { SessionError, type Tell } from '../errors'
import { isProduction } from '../errors/warn'
import { middlewaresOf } from './private-parts'
import type { NamespaceLike, SocketLike } from './socket-io-like'

type Middleware = (socket: SocketLike, next: () => void) => void

const message =
  'a middleware that was added before attach() looked for the session, which is not there yet: ' +
  'call attach() first, and then io.use() with your own middlewares'

export class EarlyMiddlewares {
  readonly #tell: Tell
  #isTold = false

  constructor(tell: Tell) {
    this.#tell = tell
  }

  /** Whoever is in this namespace already is watched. The guard is to be added after this. */
  watch(namespace: NamespaceLike): void {
    const early = middlewaresOf(namespace)
    if (early.length === 0 || isProduction()) return
    early.unshift(this.#cover)
    namespace.use(this.#uncover as never)
  }

  readonly #cover: Middleware = ({ handshake, request }, next) => {
    for (const owner of [handshake, request]) if (owner && !('session' in owner)) this.#define(owner)
    next()
  }

  readonly #uncover: Middleware = ({ handshake, request }, next) => {
    for (const owner of [handshake, request]) {
      if (owner && Object.getOwnPropertyDescriptor(owner, 'session')?.get === this.#looked)
        Reflect.deleteProperty(owner, 'session')
    }
    next()
  }

  /** Who writes it replaces this. */
  #define(owner: object): void {
    const set = (value: unknown) =>
      Object.defineProperty(owner, 'session', { value, configurable: true, enumerable: true, writable: true })
    Object.defineProperty(owner, 'session', { get: this.#looked, set, configurable: true })
  }

  readonly #looked = (): undefined => {
    if (!this.#isTold) this.#tell(new SessionError('ERR_SESSION_OPTIONS', message), 'handshake')
    this.#isTold = true
  }
}
