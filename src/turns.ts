/**
 * Our reads and writes of a session in the store, one at a time; and the writes of others on that store, of requests for
 * instance: those never wait, but who builds on what the store holds makes way for them, and learns of one that came after.
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

class Others {
  readonly writes = new Set<Promise<void>>()
  /** Whether two were on their way at the same time: which of them landed last, nobody knows. */
  haveOverlapped = false
}

export class Turns {
  /** Milliseconds after which nobody makes way for a write of others any longer. */
  patience = 1_000

  readonly #ours = new Map<string, Queue>()
  readonly #others = new Map<string, Others>()
  readonly #deadlines = new Deadlines()

  /** Runs `work`, which asks the store and waits for none of us, after all such work on this id, failed or not. */
  async take<T>(id: string, work: (turn: Turn) => Promise<T>): Promise<T> {
    const running = this.#ours.get(id)
    const queue = running ?? new Queue()
    if (running) await new Promise<void>((begin) => running.waiting.push(begin))
    else this.#ours.set(id, queue)
    queue.isOvertaken = this.#others.has(id)
    try {
      return await work(queue)
    } finally {
      const next = queue.waiting.shift()
      if (next) next()
      else this.#ours.delete(id)
    }
  }

  /** In one's turn: waits for the writes of others that are on their way. They have not overtaken it then. */
  async makeWay(id: string): Promise<void> {
    const others = this.#others.get(id)
    if (!others) return
    await Promise.all(others.writes)
    const queue = this.#ours.get(id)
    if (queue) queue.isOvertaken = this.#others.has(id)
  }

  /**
   * Somebody else writes the session.
   * @returns is to be called when that is done, and tells whether it is known what the store has by that
   */
  otherBegins(id: string): () => boolean {
    const queue = this.#ours.get(id)
    if (queue) queue.isOvertaken = true
    const others = this.#others.get(id) ?? new Others()
    this.#others.set(id, others)
    others.haveOverlapped ||= others.writes.size > 0
    let done = () => {}
    const write = new Promise<void>((resolve) => {
      const deadline = this.#deadlines.begin(() => done(), this.patience)
      done = () => {
        this.#deadlines.end(deadline)
        if (others.writes.delete(write) && others.writes.size === 0) this.#others.delete(id)
        resolve()
      }
    })
    others.writes.add(write)
    return () => {
      done()
      return !others.haveOverlapped
    }
  }
}
