/**
 * The settings of 0.9 and 1.x: kept, read back, announced. `translations.ts` knows what each stands for today, and
 * `server-options.ts` makes that so.
 */
import { EventEmitter } from 'node:events'
import type { Server, ServerOptions } from 'socket.io'
import { SessionError } from '../../src'
import { applyOptions } from './server-options'
import { adviceOn, isOldSetting, translate } from './translations'

export type OldSettings = Record<string, unknown>

/** Tells what an old app passes as options apart: settings of old, and options of Socket.IO 4, theirs among them. */
export function splitOptions(options: OldSettings): { settings: OldSettings; native: Partial<ServerOptions> } {
  const entries = Object.entries(options)
  const settings = Object.fromEntries(entries.filter(([name]) => isOldSetting(name)))
  const native = Object.fromEntries(entries.filter(([name]) => !isOldSetting(name)))
  for (const [name, value] of Object.entries(settings)) Object.assign(native, translate(name, value))
  return { settings, native }
}

export class Settings {
  readonly #io: Server
  readonly #values = new Map<string, unknown>()
  readonly #warned = new Set<string>()

  /** @param found settings that the server was made with; they are in effect already */
  constructor(io: Server, found: OldSettings = {}) {
    this.#io = io
    for (const [name, value] of Object.entries(found)) this.#keep(name, value)
  }

  get(name: string): unknown {
    return this.#values.get(name)
  }

  all(): OldSettings {
    return Object.fromEntries(this.#values)
  }

  /** Emits `set:<name>` on this server alone: Socket.IO's own `emit` would send it to every client. */
  set(name: string, value: unknown): void {
    this.#keep(name, value)
    const options = translate(name, value)
    const problem = options && applyOptions(this.#io, options)
    if (problem) this.#warn(name, problem)
    EventEmitter.prototype.emit.call(this.#io.sockets, `set:${name}`, value, name)
  }

  #keep(name: string, value: unknown): void {
    if (name === 'authorization') this.#checkAuthorization(value)
    this.#values.set(name, value)
    const advice = adviceOn(name, value)
    if (advice) this.#warn(name, advice)
  }

  #checkAuthorization(value: unknown): void {
    if (value && typeof value !== 'function') {
      throw new SessionError('ERR_SESSION_OPTIONS', "set('authorization'): expected a function (handshake, callback)")
    }
    const former = this.#values.get('authorization')
    if (former && value && former !== value) {
      this.#warn('authorization', 'set again: as in 0.9 the last function alone decides; Socket.IO 1.x asked them all')
    }
  }

  #warn(name: string, advice: string): void {
    if (this.#warned.has(name)) return
    this.#warned.add(name)
    process.emitWarning(`socket.io setting '${name}': ${advice}`, 'LegacySettingWarning')
  }
}
