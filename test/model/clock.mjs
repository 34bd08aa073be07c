/**
 * Virtual time. Importing this file replaces every timer, clock and source of chance of the process, so it has to be the
 * first import; what is loaded afterwards knows no other time. Between two events all microtasks are done.
 */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers'
import timersPromises from 'node:timers/promises'
import { promisify } from 'node:util'
import { Heap } from './heap.mjs'
import { Random } from './random.mjs'

const realSetImmediate = setImmediate
const RealDate = Date
/** 1 January 2024, when every history begins. */
const epoch = RealDate.UTC(2024, 0, 1)
/** How many events may happen in one turn of the real event loop: a turn costs more than an event. */
const perTurn = 64

class Clock {
  /** Monotonic, in ms since the history began. */
  now = 0
  /** By how much the wall clock was set, in ms. */
  wallOffset = 0
  random = new Random(0)
  #events = new Heap()
  #order = 0
  #foreign = false

  /** Forgets all that was to happen. @param {string} seed */
  reset(seed) {
    this.now = 0
    this.wallOffset = 0
    this.random = new Random(seed)
    this.#events = new Heap()
    this.#order = 0
  }

  /** Something of the simulated world, which is no timer of the program. @param {number} delay @param {() => void} run */
  after(delay, run) {
    return this.#add({ run, at: this.now + Math.max(0, delay), isTimer: false })
  }

  /** Timers that are made meanwhile are others', and not looked at when leaks are. @template T @param {() => T} work */
  foreign(work) {
    this.#foreign = true
    try {
      return work()
    } finally {
      this.#foreign = false
    }
  }

  /** The timers of the program that have yet to fire. */
  get timers() {
    return this.#events.items.filter((event) => event.isTimer && !event.isForeign && !event.isCleared)
  }

  /** Lets everything happen up to this time, or until `isEnough`. @param {number} time @param {() => boolean} [isEnough] */
  async runUntil(time, isEnough = () => false) {
    let isOver = false
    const step = () => {
      if (isOver || isEnough()) isOver = true
      else isOver = !this.#step(time)
    }
    await turn(step)
    while (!isOver) await turn(step)
    if (!isEnough()) this.now = Math.max(this.now, time)
  }

  #step(time) {
    for (let event = this.#events.first; event?.isCleared; event = this.#events.first) this.#events.shift()
    const event = this.#events.first
    if (!event || event.at > time) return false
    this.#events.shift()
    this.now = Math.max(this.now, event.at)
    if (event.every) this.#add(Object.assign(event, { at: this.now + event.every }))
    else event.isCleared = true
    event.run()
    return true
  }

  #add(event) {
    event.order = this.#order++
    event.isCleared = false
    this.#events.add(event)
    return event
  }

  /** A timer of the program. As in Node, none is shorter than 1 ms. */
  timer(run, delay, isRepeated) {
    const wait = delay >= 1 && delay <= 2 ** 31 - 1 ? Math.trunc(delay) : 1
    const timer = new Timer(run, this.now + wait, isRepeated ? wait : 0, this.#foreign)
    return this.#add(timer)
  }

  immediate(run) {
    const timer = new Timer(run, this.now, 0, this.#foreign)
    return this.#add(timer)
  }
}

class Timer {
  isTimer = true
  isReferenced = true
  constructor(run, at, every, isForeign) {
    Object.assign(this, { run, at, every, isForeign, made: at })
  }
  ref() {
    this.isReferenced = true
    return this
  }
  unref() {
    this.isReferenced = false
    return this
  }
  hasRef() {
    return this.isReferenced
  }
  close() {
    this.isCleared = true
    return this
  }
}

/** One turn of the real event loop, in which `step` runs many times, microtasks done after each. */
function turn(step) {
  return new Promise((resolve) => {
    for (let count = 0; count < perTurn; count++) realSetImmediate(step)
    realSetImmediate(resolve)
  })
}

export const clock = new Clock()

const virtual = {
  setTimeout: (run, delay, ...args) => clock.timer(() => run(...args), delay, false),
  setInterval: (run, delay, ...args) => clock.timer(() => run(...args), delay, true),
  setImmediate: (run, ...args) => clock.immediate(() => run(...args)),
  clearTimeout: (timer) => timer?.close?.(),
  clearInterval: (timer) => timer?.close?.(),
  clearImmediate: (timer) => timer?.close?.(),
}

const promised = {
  setTimeout: (delay, value) => new Promise((resolve) => virtual.setTimeout(resolve, delay, value)),
  setImmediate: (value) => new Promise((resolve) => virtual.setImmediate(resolve, value)),
}

class VirtualDate extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [VirtualDate.now()] : args))
  }
  static now() {
    return epoch + Math.floor(clock.now) + clock.wallOffset
  }
}

function randomBytes(size, callback) {
  const bytes = Buffer.from(Array.from({ length: size }, () => clock.random.below(256)))
  if (!callback) return bytes
  virtual.setImmediate(callback, null, bytes)
}

function install() {
  Object.assign(globalThis, virtual, { Date: VirtualDate })
  Object.assign(timers, virtual)
  Object.assign(timersPromises, promised)
  timersPromises.scheduler.wait = promised.setTimeout
  Object.defineProperty(virtual.setTimeout, promisify.custom, { value: promised.setTimeout })
  Object.defineProperty(performance, 'now', { value: () => clock.now })
  Math.random = () => clock.random.next()
  Object.assign(crypto, { randomBytes, randomUUID: () => randomBytes(16).toString('hex') })
  AbortSignal.timeout = (delay) => {
    const controller = new AbortController()
    virtual.setTimeout(() => controller.abort(new DOMException('timeout', 'TimeoutError')), delay).unref()
    return controller.signal
  }
  process.hrtime.bigint = () => BigInt(Math.round(clock.now * 1e6))
  syncBuiltinESMExports()
}

install()
