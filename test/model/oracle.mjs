/**
 * The invariants while a history runs: what a handler may see, in which order, and until when. Those of the end are in
 * `quiet.mjs`. A profile may weaken an invariant by its name (`profiles.mjs`); then its violations are not counted.
 */
import { checkHandler, mayBeForbidden } from './authorize.mjs'
import { clock } from './clock.mjs'
import { textsOf } from './story.mjs'

/** Codes that say that the session is gone, or cannot be had. */
const refusals = ['NOT_FOUND', 'CONFLICT', 'STORE', 'TIMEOUT', 'FORBIDDEN'].map((code) => `ERR_SESSION_${code}`)

export class Oracle {
  /** @type {{ invariant: string, message: string, at: number }[]} */
  violations = []
  #world
  /** node + id + key → JSON texts that handlers of this node put there, and that the store may not have yet. */
  #local = new Map()
  /** node + id + key → the oldest state in which what a handler saw last could have been. */
  #seen = new Map()
  /** Updates that are not answered yet, and what they have changed. */
  #drafts = new Map()

  constructor(world) {
    this.#world = world
  }

  violate(invariant, message) {
    if (invariant in (this.#world.profile.weaker ?? {})) return
    this.#world.trace('VIOLATION', `${invariant}: ${message}`)
    this.violations.push({ invariant, message, at: clock.now })
  }

  /** A handler changed a key of the session that all of its node have. @param {import('./story.mjs').Write} write @param {unknown} value */
  changedHere(write, value) {
    const key = `${write.node} ${write.story.id} ${write.key}`
    const local = this.#local.get(key) ?? []
    write.isLocal = true
    for (const earlier of local) if (!earlier.write.effect) earlier.write.isReplaced = true
    this.#local.set(key, [...local, { write, text: JSON.stringify(value) }])
  }

  /** It is written: from now on it counts by what the store has. */
  settled(write) {
    const key = `${write.node} ${write.story.id} ${write.key}`
    const local = this.#local.get(key)
    if (local)
      this.#local.set(
        key,
        local.filter((each) => each.write !== write),
      )
  }

  /** An `update` has changed a draft, by which the next ones of its group go on. @param {import('./story.mjs').Write} [write] */
  drafted(operation, node, id, before, after, write) {
    const earlier = [...this.#drafts.values()].filter((draft) => draft.write && draft.write.key === write?.key)
    const instead = earlier.filter(({ texts }) => texts.get(write?.key) === before.get(write?.key))
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
      (key) => before.get(key) !== after.get(key),
    )
    this.#drafts.set(operation, {
      session: `${node} ${id}`,
      texts: new Map(changed.map((key) => [key, after.get(key)])),
      write,
      instead: instead.map((draft) => draft.write),
    })
  }

  /** The update is answered. */
  answered(operation, isWritten) {
    const { instead = [], write } = this.#drafts.get(operation) ?? {}
    if (isWritten && !write?.key.startsWith('list')) for (const earlier of instead) earlier.isReplaced = true
    this.#drafts.delete(operation)
  }

  /** Whether a handler of this node put this there. */
  isLocal(node, id, key, text) {
    return this.#local.get(`${node} ${id} ${key}`)?.some((local) => local.text === text) ?? false
  }

  #isDrafted(session, key, text) {
    return [...this.#drafts.values()].some(
      (draft) => draft.session === session && draft.texts.has(key) && draft.texts.get(key) === text,
    )
  }

  lost(write) {
    const what = write.text === undefined ? 'what was deleted is back' : 'it is gone from the store'
    this.violate('no acknowledged write is lost', `#${write.operation.index} ${write.key}: ${what}`)
  }

  /** Nothing is refused as long as the session is there, and the store answers. */
  refused({ index, kind, id, begun }, error) {
    const { profile, setting, ledger } = this.#world
    const code = error.data?.code ?? error.code
    if (profile.faults || setting.maxAge || !id || !refusals.includes(code)) return
    if (code === 'ERR_SESSION_CONFLICT' && setting.slow > 0) return // What stands before it may take longer than `timeout`.
    if (ledger.story(id).mayHaveEnded(begun)) return
    if (code === 'ERR_SESSION_FORBIDDEN' && mayBeForbidden(this.#world, id, this.#trusted(begun))) return
    this.violate('nothing is refused without a cause', `#${index} ${kind}: ${code}`)
  }

  /** No connection is closed as long as the session is there. */
  closed(client, id) {
    const { profile, setting, ledger } = this.#world
    if (profile.faults || setting.maxAge || ledger.story(id).mayHaveEnded(client.begun)) return
    if (mayBeForbidden(this.#world, id, this.#trusted(client.begun))) return
    this.violate('nothing is refused without a cause', `${client.id} was closed`)
  }

  /** An event reached a handler. @param {{ number: number, last: number, isExact: boolean }} sequence */
  inOrder(operation, { number, last, mayMiss }) {
    const isRight = mayMiss ? number > last : number === last + 1
    if (!isRight)
      this.violate('events in order', `#${operation.index} is event ${number} of its socket, handled after ${last}`)
  }

  /** A handler of this node runs, and this is what it sees. */
  handlerSees(node, id, session, what) {
    const story = this.#world.ledger.story(id)
    if (story.isDestroyedBy(node))
      this.violate('nothing after the end', `${what} ran after ${id} was destroyed on node ${node}`)
    checkHandler(this.#world, node, id, session, what)
    this.sees(node, id, session, what, { isHandler: true })
  }

  /**
   * Each key of what is seen has to be as in one of the states that are new enough.
   * @param {{ floor?: number, begun?: number, isHandler?: boolean, isDraft?: boolean }} [options] `floor`: the order of an
   * effect; `begun`: when it was handed out
   */
  sees(
    node,
    id,
    session,
    what,
    { floor = this.#world.ledger.floor(node, id), begun = clock.now, isHandler = false, isDraft = false } = {},
  ) {
    const { ledger } = this.#world
    const story = ledger.story(id)
    this.#world.database.expire(id)
    const texts = textsOf(JSON.parse(JSON.stringify(session)))
    if ((texts.get('owner') ?? story.now.texts?.get('owner') ?? JSON.stringify(id)) !== JSON.stringify(id))
      this.violate('the right session', `${what} of ${id} sees that of ${texts.get('owner')}`)
    this.#sameCount(texts, what)
    const since = Math.max(story.indexAt(floor), this.#indexBefore(story, this.#trusted(begun)))
    const states = story.states.slice(since)
    for (const key of new Set([...texts.keys(), ...states.flatMap((state) => [...(state.texts?.keys() ?? [])])])) {
      this.#keySeen({ node, story, states, since, key, text: texts.get(key), what, isHandler, isDraft })
    }
  }

  #keySeen({ node, story, states, since, key, text, what, isHandler, isDraft }) {
    const name = `${node} ${story.id} ${key}`
    if (isDraft && this.#isDrafted(`${node} ${story.id}`, key, text)) return
    if (this.isLocal(node, story.id, key, text)) return
    const matches = (state) => state.texts !== undefined && state.texts.get(key) === text
    if (!states.some(matches)) {
      this.violate('always current', `${what} sees ${key} = ${text}; the store had ${describe(states, key)}`)
    } else if (isHandler) {
      const seen = Math.max(this.#seen.get(name) ?? 0, since)
      const index = story.states.findIndex((state, number) => number >= seen && matches(state))
      if (index < 0)
        this.violate('never back', `${what} sees ${key} = ${text} again; the store had ${describe(states, key)}`)
      else this.#seen.set(name, index)
    }
  }

  /** When all is quiet, what is seen is what the store has. */
  isExactly(node, id, session, what) {
    const { order } = this.#world.ledger.story(id).now
    this.sees(node, id, session, what, { floor: order })
  }

  /** `count` and `list` are changed together. */
  #sameCount(texts, what) {
    const [count, list] = [Number(texts.get('count') ?? 0), JSON.parse(texts.get('list') ?? '[]')]
    if (count !== list.length) this.violate('counter is list', `${what}: ${count} and ${list.length}`)
    if (new Set(list).size !== list.length) this.violate('each update once', `${what}: ${list}`)
  }

  /** Of the time before this, everything has to be known: a read is trusted for `freshFor`, from its answer on. */
  #trusted(time) {
    const { options, setting, profile } = this.#world
    const back = profile.faults ? options.timeout : setting.slow > 0 ? setting.longest : setting.usual
    return time - options.freshFor - back
  }

  #indexBefore(story, time) {
    let index = story.states.length - 1
    while (index > 0 && story.states[index].at > time) index--
    return index
  }
}

function describe(states, key) {
  return [...new Set(states.map(({ texts }) => (texts ? (texts.get(key) ?? 'none') : 'no session')))].join(', then ')
}
