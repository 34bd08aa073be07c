/**
 * Who gets in, asked the way of 0.9: `set('authorization', fn)` once per connection, before any namespace, and
 * `namespace.authorization(fn)` after it. `fn` gets the one handshake object of the connection; whatever it does, the
 * client is told once, and let in only by a clear yes.
 */
import createDebug from 'debug'
import type { Namespace, Server, Socket } from 'socket.io'
import { checkOrigin, corsOf, recover } from '../../src/internals'
import { ask } from '../answer'
import { howToSet } from '../app-settings'
import { holdSession } from '../live-sessions'
import {
  copyToRequest,
  forNamespace,
  giveOldAddress,
  type Handshake,
  isOld,
  isSameJSON,
  type Request,
  readAsRequest,
} from './handshake-data'
import { guardHttp } from './http-gate'
import type { Answer, Authorize, LegacyNamespace, LegacyOptions } from './legacy-face'
import type { Settings } from './settings'

const debug = createDebug('handshake-session')

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

  readonly #atHttp = (handshake: Handshake, request: Request): Promise<boolean> => {
    this.#giveOldAddress(handshake, request)
    return this.#examine(handshake, request)
  }

  /** Rejects with what the client is to be told. */
  async admit(socket: Socket): Promise<void> {
    const { auth } = socket.handshake
    Object.assign(socket, { handshake: this.#share(socket) })
    const verdict = this.#verdicts.get(socket.conn) ?? this.#decide(socket)
    this.#verdicts.set(socket.conn, verdict)
    await verdict
    const isGuarded = Boolean(this.#settings.get('authorization'))
    if (isOld(socket)) Object.assign(socket, { handshake: forNamespace(socket.handshake, auth, isGuarded) })
    // Whoever knows a lost connection's id is not for that its user: with an authorizer, nobody gets one back.
    await recover(socket as never, isGuarded ? 'nobody' : undefined)
  }

  /**
   * The handshake of the connection's first socket is that of all. So `auth` is one as well: a namespace that is asked for
   * with another is refused, else what a middleware has verified would be replaced behind its back.
   */
  #share(socket: Socket): Handshake {
    const { conn, handshake, request } = socket
    const known = this.#handshakes.get(conn)
    if (known && !isOld(socket) && !isSameJSON(known.auth, handshake.auth)) {
      throw this.#refusal('namespace', 'auth differs', 'auth differs from that of the first namespace')
    }
    if (known) return known
    const admitted = request && this.#admitted.get(request)
    if (!admitted) this.#giveOldAddress(handshake, request)
    this.#handshakes.set(conn, admitted ?? handshake)
    return admitted ?? handshake
  }

  #giveOldAddress(handshake: Handshake, request: Request): void {
    if (this.#options.legacyAddress !== false) giveOldAddress(handshake, request)
  }

  async #decide(socket: Socket): Promise<void> {
    const { handshake } = socket
    const isAdmitted = socket.request && this.#admitted.has(socket.request)
    if (!isAdmitted && !(await this.#examine(handshake, socket.request))) return
    await hold(socket, this.#options.timeout).catch((error) => {
      throw this.#refusal('the session', error, this.#texts.denied)
    })
  }

  /** Resolves to whether an authorizer was asked; rejects with what the client is to be told. */
  async #examine(handshake: Handshake, request: Request): Promise<boolean> {
    const authorize = this.#settings.get('authorization') as Authorize | undefined
    if (authorize || this.#settings.get('origins')) await this.#checkOrigin(handshake)
    if (authorize) await this.#consult(authorize, handshake, request)
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

  async #consult(authorize: Authorize, handshake: Handshake, request: Request): Promise<void> {
    const { denied, failed } = this.#texts
    const [error, authorized] = await consult(authorize, this.#io, handshake, request, this.#options.timeout).catch(
      (thrown) => {
        throw this.#refusal('authorization', thrown, this.#options.errorStyle === '1.x' ? denied : failed(thrown))
      },
    )
    if (error) this.#warnHidden()
    if (error) throw this.#refusal('authorization', error, failed(error))
    if (!authorized) throw new Error(denied)
  }

  #warnHidden(): void {
    if (this.#options.errorStyle) return
    this.#options.errorStyle = '0.9'
    const text = `authorization: clients are told '${this.#texts.failed('')}', as by Socket.IO 0.9. 1.x and 2.x told them the error's own text; for that, errorStyle: ${howToSet('errorStyle', '1.x')}`
    process.emitWarning(text, 'LegacySettingWarning')
  }

  #refusal(of: string, reason: unknown, text: string): Error {
    debug('legacy: %s refused: %o', of, reason)
    return new Error(text)
  }
}

/** Asks `fn`; what it sets on the handshake when it says yes, or passes as its third answer, is on the request as well. */
async function consult(
  fn: Authorize,
  on: object,
  handshake: Handshake,
  request: Request,
  timeout: number,
): Promise<Answer> {
  readAsRequest(handshake, request)
  const before = { ...handshake }
  const answer = await ask<Answer>('authorization', timeout, (answer) =>
    fn.call(on as never, handshake as never, answer),
  )
  const [error, authorized, newData] = answer
  if (error || !authorized) return answer
  if (typeof newData === 'object') Object.assign(handshake, newData)
  copyToRequest(handshake, before, request)
  return answer
}

/** Puts the live session in the place of the one that an authorizer left, if it did. */
async function hold({ handshake, request, conn }: Socket, timeout: number): Promise<void> {
  const session = await holdSession(handshake as object, conn, timeout)
  if (session === undefined) return
  for (const place of [handshake, request]) if (place) Object.assign(place, { session })
}

/** `namespace.authorization`. A middleware, so that the children of a dynamic namespace have it, too. */
export function namespaceGate(namespace: Namespace, timeout: number): LegacyNamespace['authorization'] {
  let authorize: Authorize | undefined
  let isGuarded = false
  const guard = async (socket: Socket): Promise<void> => {
    if (!authorize) return
    const [error, authorized] = await consult(authorize, socket.nsp, socket.handshake, socket.request, timeout)
    if (error || !authorized) throw error
    await hold(socket, timeout)
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
