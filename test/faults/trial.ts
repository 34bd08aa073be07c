/** One fault on one way into the package: the store that has it, who was told, and what came of it. */
import { type EventEmitter, once } from 'node:events'
import type { SessionData } from 'express-session'
import { expect } from 'vitest'
import type { AppOptions } from '../support/app.js'
import { type Fault, FaultyStore } from '../support/faulty-store.js'
import { read } from '../support/other-program.js'

/** `works`, the code of the error without `ERR_SESSION_`, or `dropped`: nobody is there any more to hear of it. */
export type Outcome = string
/** Does what it is named after while `method` has the fault. */
export type Entry = (trial: Trial) => Promise<Outcome>

export class Trial {
  readonly store = new FaultyStore()
  /** What `onError` was told. */
  readonly told: { code: string; stage: string }[] = []
  readonly fault: Fault
  /** Short only where it is waited for. */
  readonly timeout: number

  constructor(fault: Fault) {
    this.fault = fault
    this.timeout = fault === 'never answers' ? 200 : 10_000
  }

  /** For `startApp`. */
  get options(): AppOptions {
    return { store: this.store, timeout: this.timeout, onError: this.tell }
  }

  readonly tell = (error: unknown, { stage = '' } = {}): void => {
    this.told.push({ code: short(error), stage })
    this.store.late.emit('told')
  }

  /** From now on this method has the fault; a late answer comes when `leave` is done. */
  break(method: keyof typeof calls, leave: () => unknown = () => {}): void {
    this.store.broken = { method: calls[method], fault: this.fault }
    this.late(leave)
  }

  /** A late answer comes when `leave` is done. */
  late(leave: () => unknown): void {
    this.store.late.once('held', async () => {
      await leave()
      this.mend()
      this.store.late.emit('release')
    })
  }

  mend(): void {
    this.store.broken = undefined
  }

  /** The next time that `onError` is told: its code. */
  async next(): Promise<Outcome> {
    await once(this.store.late, 'told')
    return this.told.at(-1)?.code ?? ''
  }

  /** Nobody was told but the one who waits for it. */
  expectSilence(): void {
    expect(this.told).toEqual([])
  }

  /** The store still has what it had, and this. */
  async expectKept(id: string, record: Partial<SessionData> = {}): Promise<void> {
    this.mend()
    expect(await read(this.store, id)).toMatchObject({ user: 'ann', ...record })
  }
}

const calls = { reads: 'get', writes: 'set', touches: 'touch', destroys: 'destroy' } as const

/** The arguments of the next such event; no `error` comes between. */
export function soon<Args extends unknown[]>(emitter: object, event: string): Promise<Args> {
  return new Promise((resolve) => (emitter as EventEmitter).once(event, (...args) => resolve(args as Args)))
}

/** `works`, or why not. */
export function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
  return work.then(() => 'works', short)
}

/** The same for work that calls back. */
export function answerOf(start: (callback: (error?: unknown) => void) => unknown): Promise<Outcome> {
  return new Promise((resolve) => start((error) => resolve(error ? short(error) : 'works')))
}

export function short(error: unknown): Outcome {
  return String((error as { code?: unknown }).code ?? error).replace('ERR_SESSION_', '')
}
