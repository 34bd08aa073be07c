/** A MemoryStore of which one method has a fault, and a database with the same faults. */
import { EventEmitter } from 'node:events'
import session from 'express-session'

type Done = (error?: unknown, value?: unknown) => void
type Run = (done: Done) => unknown
type Method = 'get' | 'set' | 'touch' | 'destroy'

/** What goes wrong instead of `run(done)`; `late` holds a call until it is released. */
export const faults = {
  throws: () => {
    throw new Error('down')
  },
  rejects: () => Promise.reject(new Error('down')),
  'calls back twice': (run: Run, done: Done) =>
    run((...answer) => {
      done(...answer)
      done(new Error('the second answer'))
    }),
  'never answers': () => {},
  'answers late, the socket is gone': (run: Run, done: Done, late: EventEmitter) => {
    late.once('release', () => run(done))
    late.emit('held')
  },
  'fails with a string': (_run: Run, done: Done) => done('down'),
  'answers with garbage': (_run: Run, done: Done) => done(null, 'garbage'),
  'answers without `cookie`': (_run: Run, done: Done) => done(null, { user: 'ann' }),
  'emits `disconnect`, `connect`': (run: Run, done: Done, _late: EventEmitter, source: EventEmitter) => {
    source.emit('disconnect')
    run((...answer) => {
      source.emit('connect')
      done(...answer)
    })
  },
}

export type Fault = keyof typeof faults

export class FaultyStore extends session.MemoryStore {
  /** Emits `held` when a call is held back, takes `release`, and emits a method's name when that has succeeded. */
  readonly late = new EventEmitter()
  /** Which method has which fault. */
  broken: { method: Method; fault: Fault } | undefined

  override get(...[id, done]: Parameters<session.MemoryStore['get']>): never {
    return this.#call('get', (answer) => super.get(id, answer as never), done as Done)
  }

  override set(...[id, record, done]: Parameters<session.MemoryStore['set']>): never {
    return this.#call('set', (answer) => super.set(id, record, answer), done)
  }

  override touch(...[id, record, done]: Parameters<session.MemoryStore['touch']>): never {
    return this.#call('touch', (answer) => super.touch(id, record, answer as never), done)
  }

  override destroy(...[id, done]: Parameters<session.MemoryStore['destroy']>): never {
    return this.#call('destroy', (answer) => super.destroy(id, answer), done)
  }

  #call(method: Method, run: Run, callback: Done = () => {}): never {
    const done: Done = (error, value) => {
      callback(error, value)
      if (!error) this.late.emit(method)
    }
    if (this.broken?.method !== method) return run(done) as never
    return faults[this.broken.fault](run, done, this.late, this) as never
  }
}
