/**
 * One session as it was: the states that the store had, what was written into it, and who ended it.
 */
import { clock } from './clock.mjs'

/** Top-level key → JSON of its value. @param {object} record */
export function textsOf(record) {
  const entries = Object.entries(record).filter(([key]) => key !== 'cookie' && !key.startsWith('__'))
  return new Map(entries.map(([key, value]) => [key, JSON.stringify(value)]))
}

/** Milliseconds for which a node remembers that a session was not in the store (SECURITY.md). */
const remembered = 600_000

/** What one operation does to one key: the JSON it sets, the item it appends, or `undefined` where it deletes. */
export class Write {
  isAcknowledged = false
  /** The effect by which it first happened. */
  effect = undefined
  /** The effect by which it happened last: a whole copy of a request can bring it back. */
  last = undefined
  /** The effect by which it was lost without an excuse. */
  loss = undefined
  isExcused = false
  isReplaced = false

  constructor(operation, story, node, key, text) {
    Object.assign(this, { operation, story, node, key, text, begun: clock.now })
  }
}

export class Story {
  /** What the store had: `texts` is undefined where there was no session. */
  states = [{ order: -1, at: Number.NEGATIVE_INFINITY, texts: undefined }]
  /** @type {Write[]} */
  writes = []
  /** @type {{ node: number, begun: number, ended?: number, isAcknowledged: boolean }[]} */
  endings = []
  constructor(id) {
    this.id = id
  }

  /** When news of it got lost. */
  lostNews = []

  /** Whether its end was acknowledged. */
  get isDestroyed() {
    return this.endings.some(({ isAcknowledged }) => isAcknowledged)
  }

  /** Whether this node was told that it is over. */
  isDestroyedBy(node) {
    return this.endings.some((ending) => ending.node === node && ending.isAcknowledged)
  }

  /** Whether the other node may not have heard of the end: then what it writes is not undone. */
  get mayReturn() {
    return this.endings.some(({ begun }) => this.lostNews.some((time) => time >= begun))
  }

  get now() {
    return this.states[this.states.length - 1]
  }

  /** The first of the states up to now that have no such key. @param {string} key */
  sinceWithout(key) {
    const last = this.states.findLastIndex(({ texts }) => !texts || texts.has(key))
    return this.states[last + 1]
  }

  /** The number of the state that was the store's when this order was reached. @param {number} order */
  indexAt(order) {
    let index = this.states.length - 1
    while (index > 0 && this.states[index].order > order) index--
    return index
  }

  /** Whether the store was without it at some time after this. @param {number} order */
  wasGoneSince(order) {
    return this.states.some((state) => state.order > order && !state.texts)
  }

  /**
   * Whether somebody tried to end it at some time since, or it was not in the store, so lately that a node which saw that
   * still lets nobody write it. @param {number} since
   */
  mayHaveEnded(since) {
    if (this.isDestroyed) return true
    if (this.endings.some(({ ended = Number.POSITIVE_INFINITY }) => ended >= since)) return true
    return this.states.some(
      ({ texts }, index) => index > 0 && !texts && (this.states[index + 1]?.at ?? clock.now) >= since - remembered,
    )
  }
}
