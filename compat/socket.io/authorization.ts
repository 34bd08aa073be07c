/**
 * Who gets in, asked the way of 0.9: `set('authorization', fn)` once per connection, before any namespace, and
 * `namespace.authorization(fn)` after it. `fn` gets the one handshake object of the connection; whatever it does, the
 * client is told once, and let in only by a clear yes.
 */
import type { IncomingMessage } from 'node:http'
import createDebug from 'debug'
import type { Namespace, Server, Socket } from 'socket.io'
import { checkOrigin, corsOf, recover } from '../../src/internals'
import { ask } from '../answer'
import { holdSession } from '../live-sessions'
import { guardHttp } from './http-gate'
import type { Answer, Authorize, LegacyNamespace, LegacyOptions } from './legacy-face'
import type { Settings } from './settings'

const debug = createDebug('handshake-session')

type Handshake = Socket['handshake']

/** The error text that clients get. `data` stays unset, else old clients would get that instead of the text. */
interface Texts {
  denied: string
  failed: (error: unknown) => string
}

const texts: Record<'0.9' | '1.x', Texts> = {
  '0.9': { denied: 'handshake unauthorized', failed: () => 'handshake error' },
  '1.x': { denied: 'Not authorized', failed: String },
}

export class Gate {
  readonly #io: Server
  readonly #settings: Settings
  readonly #options: LegacyOptions & { timeout: number }
  readonly #texts: Texts
  readonly #handshakes = new WeakMap<Socket['conn'], Handshake>()
  /** Those that have been let in already, at the HTTP request. */
  readonly #admitted: WeakMap<object, Handshake>
  readonly #verdicts = new WeakMap<Socket['conn'], Promise<void>>()

  constructor(io: Server, settings: Settings, options: LegacyOptions & { timeout: number }) {
    this.#io = io
    this.#settings = settings
    this.#options = options
    this.#texts = options.errorStyle === '1.x' ? texts['1.x'] : texts['0.9']
    this.#admitted = options.refuseAt === 'http' ? guardHttp(io, this.#atHttp) : new WeakMap()
  }

  readonly #atHttp = (handshake: Handshake, request: IncomingMessage): Promise<boolean> => {
    this.#giveOldAddress(handshake, request)
    return this.#examine(handshake)
  }

  /** Rejects with what the client is to be told. */
  async admit(socket: Socket): Promise<void> {
    Object.assign(socket, { handshake: this.#share(socket) })
    const verdict = this.#verdicts.get(socket.conn) ?? this.#decide(socket)
    this.#verdicts.set(socket.conn, verdict)
    await verdict
    // Whoever knows a lost connection's id is not for that its user: with an authorizer, nobody gets one back.
    await recover(socket as never, this.#settings.get('authorization') ? 'nobody' : undefined)
  }

  /**
   * The handshake of the connection's first socket is that of all. So `auth` is one as well: a namespace that is asked for
   * with another is refused, else what a middleware has verified would be replaced behind its back.
   */
  #share({ conn, handshake, request }: Socket): Handshake {
    const known = this.#handshakes.get(conn)
    if (known && !isSameJSON(known.auth, handshake.auth)) {
      throw this.#refusal('namespace', 'auth differs', 'auth differs from that of the first namespace')
    }
    if (known) return known
    const admitted = request && this.#admitted.get(request)
    if (!admitted) this.#giveOldAddress(handshake, request)
    this.#handshakes.set(conn, admitted ?? handshake)
    return admitted ?? handshake
  }

  #giveOldAddress(handshake: Handshake, request?: IncomingMessage): void {
    if (!this.#options.legacyAddress) return
    Object.assign(handshake, { address: { address: handshake.address, port: request?.socket?.remotePort } })
  }

  async #decide(socket: Socket): Promise<void> {
    const { handshake } = socket
    const isAdmitted = socket.request && this.#admitted.has(socket.request)
    if (!isAdmitted && !(await this.#examine(handshake))) return
    const session = await holdSession((handshake as { session?: unknown }).session, socket.conn).catch((error) => {
      throw this.#refusal('the session', error, this.#texts.denied)
    })
    if (session === undefined) return
    for (const place of [handshake, socket.request]) if (place) Object.assign(place, { session })
  }

  /** Resolves to whether an authorizer was asked; rejects with what the client is to be told. */
  async #examine(handshake: Handshake): Promise<boolean> {
    const authorize = this.#settings.get('authorization') as Authorize | undefined
    if (authorize || this.#settings.get('origins')) await this.#checkOrigin(handshake)
    if (authorize) await this.#consult(authorize, handshake)
    return Boolean(authorize)
  }

  async #checkOrigin(handshake: Handshake): Promise<void> {
    const cors = corsOf(this.#io)
    try {
      await checkOrigin(handshake, undefined, () => (cors ? [cors] : []))
    } catch (error) {
      throw this.#refusal('origin', error, 'handshake bad origin')
    }
  }

  async #consult(authorize: Authorize, handshake: Handshake): Promise<void> {
    const { denied, failed } = this.#texts
    const [error, authorized, newData] = await consult(authorize, this.#io, handshake, this.#options.timeout).catch(
      (thrown) => {
        throw this.#refusal('authorization', thrown, this.#options.errorStyle === '1.x' ? denied : failed(thrown))
      },
    )
    if (error) throw this.#refusal('authorization', error, failed(error))
    if (!authorized) throw new Error(denied)
    if (typeof newData === 'object') Object.assign(handshake, newData)
  }

  #refusal(of: string, reason: unknown, text: string): Error {
    debug('legacy: %s refused: %o', of, reason)
    return new Error(text)
  }
}

/** Whether two values that came as JSON are equal. Without recursion: clients choose how deep they are. */
function isSameJSON(one: unknown, other: unknown): boolean {
  const pairs = [[one, other]]
  for (const [a, b] of pairs) {
    if (a === b) continue
    if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false
    const keys = Object.keys(a)
    if (keys.length !== Object.keys(b).length || !keys.every((key) => Object.hasOwn(b, key))) return false
    for (const key of keys) pairs.push([a[key], b[key]])
  }
  return true
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function consult(authorize: Authorize, on: object, handshake: Handshake, timeout: number): Promise<Answer> {
  return ask<Answer>('authorization', timeout, (answer) => authorize.call(on as never, handshake as never, answer))
}

/** `namespace.authorization`. A middleware, so that the children of a dynamic namespace have it, too. */
export function namespaceGate(namespace: Namespace, timeout: number): LegacyNamespace['authorization'] {
  let authorize: Authorize | undefined
  let isGuarded = false
  const guard = async ({ nsp, handshake }: Socket): Promise<void> => {
    if (!authorize) return
    const [error, authorized, newData] = await consult(authorize, nsp, handshake, timeout)
    if (error || !authorized) throw error
    if (typeof newData === 'object') Object.assign(handshake, newData)
  }
  const refuse = (next: (error: Error) => void) => (reason: unknown) => {
    debug('legacy: namespace %s refused: %o', namespace.name, reason)
    next(new Error('unauthorized'))
  }
  return (fn) => {
    authorize = fn || undefined
    const { children = [] } = namespace as Namespace & { children?: Iterable<Namespace> }
    for (const each of isGuarded ? [] : [namespace, ...children]) {
      each.use((socket, next) => void guard(socket).then(() => next(), refuse(next)))
    }
    isGuarded = true
    return namespace as LegacyNamespace
  }
}
