/**
 * What is known of each session: every state that the store had, who wrote which value when, what was acknowledged, and
 * how new what a node shows has to be. `oracle.mjs` judges by it.
 */
import { clock } from './clock.mjs'
import { excuses } from './excuses.mjs'
import { Story, textsOf, Write } from './story.mjs'

/** Keys that hold lists, to which writes append. */
const isList = (key) => key.startsWith('list')
/** Keys that are not followed: the cookie, and what tickets leave. */
const isIgnored = (key) => key === 'cookie' || key.startsWith('__') || key === 'count'

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
    story.states.push({ order: effect.order, at: effect.at, node: effect.node, texts })
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
    // A session that came back as a whole is judged by itself; and what was replaced, and came back by a late write, may go again.
    if (effect.isBack || write.isExcused || write.isReplaced) return
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

  /** Somebody else deleted it meanwhile, so that nothing was left to write. Who knows that need not know what came after. */
  #wasGone(write) {
    const gone = write.story.sinceWithout(write.key)
    if (!gone) return
    const { order, at, node } = gone
    const request = write.operation.kind === 'delete' ? {} : undefined // It wrote its whole copy all the same.
    write.effect = write.last = { node, order, at, issuedAt: at, request }
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
