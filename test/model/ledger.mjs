/**
 * What is known of each session: every state that the store had, who wrote which value when, what was acknowledged, and
 * how new what a node shows has to be. `oracle.mjs` judges by it.
 */
import { clock } from './clock.mjs'
import { excuses } from './excuses.mjs'

/** Keys that hold lists, to which writes append. */
const isList = (key) => key.startsWith('list')
/** Keys that are not followed: the cookie, and what tickets leave. */
const isIgnored = (key) => key === 'cookie' || key.startsWith('__') || key === 'count'

/** Top-level key → JSON of its value. @param {object} record */
export function textsOf(record) {
  const entries = Object.entries(record).filter(([key]) => key !== 'cookie' && !key.startsWith('__'))
  return new Map(entries.map(([key, value]) => [key, JSON.stringify(value)]))
}

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

class Story {
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

  /** Whether the other node may not have heard of the end: then what it writes is not undone. */
  get mayReturn() {
    return this.endings.some(({ begun }) => this.lostNews.some((time) => time >= begun))
  }

  get now() {
    return this.states[this.states.length - 1]
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

  /** Whether somebody tried to end it, or it was not in the store, at some time since. @param {number} since */
  mayHaveEnded(since) {
    if (this.isDestroyed) return true
    if (this.endings.some(({ ended = Number.POSITIVE_INFINITY }) => ended >= since)) return true
    return this.states.some(
      ({ texts }, index) => index > 0 && !texts && (this.states[index + 1]?.at ?? clock.now) >= since,
    )
  }
}

export class Ledger {
  order = 0
  /** @type {Map<string, Story>} */
  stories = new Map()
  /** node + id → how new what it shows has to be: the order of an effect. */
  #floors = new Map()
  #lastReads = new Map()
  #world

  constructor(world) {
    this.#world = world
  }

  story(id) {
    const story = this.stories.get(id) ?? new Story(id)
    this.stories.set(id, story)
    return story
  }

  /** A read was answered. @param {number} order how new it is @param {object} [request] for which express-session read it */
  readBy(id, node, order, request) {
    if (request) request.readFrom = order
    else this.#lastReads.set(`${node} ${id}`, order)
  }

  lastRead(id, node) {
    return this.#lastReads.get(`${node} ${id}`)
  }

  /** Whether the store ever had this key: to delete what was not written yet says nothing. */
  hasLanded(id, key) {
    return this.story(id).writes.some((write) => write.key === key && write.effect)
  }

  /** Somebody begins to write. @returns {Write} */
  begin(operation, id, node, key, text) {
    const story = this.story(id)
    const write = new Write(operation, story, node, key, text)
    story.writes.push(write)
    if (text === undefined) this.#wasGone(write)
    return write
  }

  /** The store now has this record. */
  landed(id, json, given) {
    const story = this.story(id)
    const before = story.now
    const texts = json === undefined ? undefined : textsOf(JSON.parse(json))
    const effect = { at: clock.now, ...given, order: ++this.order }
    story.states.push({ order: effect.order, at: effect.at, texts })
    if (texts) this.#compare(story, before.texts ?? new Map(), texts, { ...effect, isBack: !before.texts })
  }

  #compare(story, before, after, effect) {
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      if (isIgnored(key) || before.get(key) === after.get(key)) continue
      if (isList(key)) this.#compareLists(story, key, before.get(key), after.get(key), effect)
      else this.#compareValues(story, key, before.get(key), after.get(key), effect)
    }
    for (const write of story.writes) {
      const isIts =
        write.text === undefined && !write.effect && !after.has(write.key) && (write.isLocal || mayBeOf(write, effect))
      if (isIts) write.effect = write.last = effect
    }
  }

  #compareValues(story, key, before, after, effect) {
    const ofKey = story.writes.filter((write) => write.key === key)
    const old = ofKey.filter((write) => write.text === before && write.effect)
    const now = ofKey.findLast((write) => write.text === after && isNew(write, effect))
    for (const write of ofKey) {
      if (write.text === after && write.effect) Object.assign(write, { last: effect, loss: undefined })
    }
    const instead = ofKey.findLast((write) => write.text === after && write.effect)
    if (now) this.#replace(story, old, now, effect)
    else for (const write of old) this.#lose(write, effect, instead)
  }

  /** A write has happened, in place of an older one. */
  #replace(story, old, now, effect) {
    now.effect ??= effect
    now.last = effect
    for (const write of old) write.isReplaced = true
    for (const write of story.writes) if (wasTakenOver(write, now)) write.isReplaced = true
  }

  #compareLists(story, key, before = '[]', after = '[]', effect) {
    const [old, now] = [JSON.parse(before), JSON.parse(after)]
    for (const write of story.writes) {
      if (write.key !== key) continue
      const [was, is] = [old.includes(write.text), now.includes(write.text)]
      if (is && !was) Object.assign(write, { effect: write.effect ?? effect, last: effect, loss: undefined })
      if (was && !is) this.#lose(write, effect)
    }
  }

  #lose(write, effect, instead) {
    if (effect.isBack || write.isExcused) return // A session that came back as a whole is judged by itself.
    const { setting, options } = this.#world
    const excuse = excuses.find(({ applies }) =>
      applies({ loss: effect, written: write.last, instead, setting, options }),
    )
    this.#world.trace(
      'ledger',
      `${write.key} of #${write.operation.index} is gone by the write of node ${effect.node}`,
      excuse?.name ?? 'NO EXCUSE',
    )
    if (excuse) write.isExcused = true
    else write.loss = effect
    if (write.loss && write.isAcknowledged) this.#world.oracle.lost(write)
  }

  /** The caller was told that it is written. */
  acknowledge(write) {
    write.isAcknowledged = true
    write.acknowledgedAt = clock.now
    if (write.text === undefined && !write.effect) this.#wasGone(write)
    if (write.effect) this.raise(write.node, write.story.id, write.effect.order)
    if (write.loss) this.#world.oracle.lost(write)
  }

  /** Somebody else deleted it meanwhile, so that nothing was left to write. */
  #wasGone(write) {
    const { texts, order, at } = write.story.now
    if (texts && !texts.has(write.key)) write.effect = write.last = { node: write.node, order, at, issuedAt: at }
  }

  /** What this node shows of the session from now on is to be no older than that. */
  raise(node, id, order) {
    this.#floors.set(`${node} ${id}`, Math.max(this.floor(node, id), order))
  }

  /** Which sessions are named by news of this node, and how new it knows them to be. @param {string} news */
  knownTo(node, news, sessions) {
    const named = [...this.stories.keys()].filter((id) => news.includes(sessions.room(id)))
    return named.map((id) => [id, this.floor(node, id)])
  }

  floor(node, id) {
    return this.#floors.get(`${node} ${id}`) ?? -1
  }
}

/** Whether a write happens now for the first time; of what is deleted twice, each may be what deletes it. */
function isNew(write, effect) {
  if (write.text === undefined) return !write.isAcknowledged && mayBeOf(write, effect)
  return !write.effect
}

/** Whether a handler's change was in the draft of an `update` of its node, which then changed the same key. */
function wasTakenOver(write, { key, node, effect }) {
  return write.isLocal && !write.effect && write.key === key && write.node === node && write.begun <= effect.issuedAt
}

/** Whether this effect may be what that operation did. */
function mayBeOf(write, { node, request, issuedAt }) {
  if (write.node !== node || issuedAt < write.begun) return false
  return write.request === undefined ? true : request === undefined || request === write.request
}
