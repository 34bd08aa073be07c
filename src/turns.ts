/**
 * Our reads and writes of a session in the store, one at a time; and the writes of others on that store, of requests for
 * instance: those never wait, but who builds on what the store holds waits for them, and learns of one that came in between.
 */
import { Deadlines } from './deadlines'

/** The time of one of ours. */
export interface Turn {
  /** Whether somebody else writes the session meanwhile, or has begun to. */
  readonly isOvertaken: boolean
}

class Queue implements Turn {
  isOvertaken = false
  readonly waiting: (() => void)[] = []
}

export class Turns {
  /** Milliseconds after which nobody waits any longer for a write of others. */
  patience = 10_000

  readonly #ours = new Map<string, Queue>()
  readonly #others = new Map<string, Set<Promise<void>>>()
  readonly #deadlines = new Deadlines()

  /** Runs `work`, which asks the store and waits for nobody else, after all such work on this id, failed or not. */
  async take<T>(id: string, work: (turn: Turn) => Promise<T>): Promise<T> {
    const running = this.#ours.get(id)
    const queue = running ?? new Queue()
    if (running) await new Promise<void>((begin) => running.waiting.push(begin))
    else this.#ours.set(id, queue)
    const others = this.ofOthers(id)
    if (others) await others
    queue.isOvertaken = this.#others.has(id)
    try {
      return await work(queue)
    } finally {
      const next = queue.waiting.shift()
      if (next) next()
      else this.#ours.delete(id)
    }
  }

  /** What others write now has happened, or nobody waits for it any longer. Nothing if there is no such write. */
  ofOthers(id: string): Promise<unknown> | undefined {
    const others = this.#others.get(id)
    return others && Promise.all(others)
  }

  /** Somebody else writes the session. @returns is to be called when that is done */
  otherBegins(id: string): () => void {
    const queue = this.#ours.get(id)
    if (queue) queue.isOvertaken = true
    const others = this.#others.get(id) ?? new Set()
    this.#others.set(id, others)
    let done = () => {}
    const write = new Promise<void>((resolve) => {
      const deadline = this.#deadlines.begin(() => done(), this.patience)
      done = () => {
        this.#deadlines.end(deadline)
        if (others.delete(write) && others.size === 0) this.#others.delete(id)
        resolve()
      }
    })
    others.add(write)
    return done
  }
}
