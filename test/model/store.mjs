/**
 * The simulated session store: one database for all nodes, and for each node a store that reaches it by a random way
 * there and back, in order or in any order, with faults. Tells the ledger every effect at the moment when it happens.
 */
import { createRequire } from 'node:module'
import { clock } from './clock.mjs'

const session = createRequire(import.meta.url)('express-session')

export class Database {
  /** @type {Map<string, { json: string, expires: number | undefined }>} */
  #rows = new Map()
  #touch
  #ledger

  /** @param {'none' | 'ttl' | 'cookie'} touch how sessions are extended */
  constructor(touch, ledger) {
    this.#touch = touch
    this.#ledger = ledger
  }

  /** The record's JSON, unless there is none, or its time is over. */
  read(id) {
    this.expire(id)
    return this.#rows.get(id)?.json
  }

  write(id, json, effect) {
    this.expire(id)
    this.#rows.set(id, { json, expires: expiryOf(json) })
    this.#ledger.landed(id, json, effect)
  }

  destroy(id, effect) {
    this.expire(id)
    this.#rows.delete(id)
    this.#ledger.landed(id, undefined, effect)
  }

  /** `ttl`: the store alone knows. `cookie`: the record's cookie is written anew, as `MemoryStore` does. */
  touch(id, cookie, effect) {
    const json = this.read(id)
    if (json === undefined) return
    if (this.#touch === 'ttl') this.#rows.get(id).expires = expiryOf(JSON.stringify({ cookie }))
    else this.write(id, JSON.stringify({ ...JSON.parse(json), cookie }), effect)
  }

  expire(id) {
    const row = this.#rows.get(id)
    if (!row || row.expires === undefined || row.expires > Date.now()) return
    this.#rows.delete(id)
    this.#ledger.landed(id, undefined, { kind: 'expiry', at: clock.now - (Date.now() - row.expires) })
  }
}

function expiryOf(json) {
  const { expires } = JSON.parse(json).cookie
  return expires ? Date.parse(expires) : undefined
}

/** Of one node. */
export class SimulatedStore extends session.Store {
  /** The mock request whose middleware is calling `get` right now. */
  reader
  calls = 0
  #lastThere = 0
  #lastBack = 0

  constructor(world, node) {
    super()
    this.world = world
    this.node = node
  }

  get(id, callback) {
    const { reader } = this
    const answer = (error, found) => {
      if (found) this.world.ledger.readBy(id, this.node, found.order, reader)
      callback(error, found?.json && JSON.parse(found.json))
    }
    this.call('get', id, () => this.read(id), answer)
  }

  set(id, record, callback) {
    const json = JSON.stringify(record)
    const effect = this.effect('set', id, record)
    this.call('set', id, () => this.world.database.write(id, json, effect), callback)
  }

  touch(id, record, callback) {
    const cookie = JSON.parse(JSON.stringify(record.cookie))
    const effect = this.effect('touch', id, record)
    this.call('touch', id, () => this.world.database.touch(id, cookie, effect), callback)
  }

  destroy(id, callback) {
    const effect = this.effect('destroy', id)
    this.call('destroy', id, () => this.world.database.destroy(id, effect), callback)
  }

  /** Who writes, and since when. @param {string} kind @param {string} id @param {{ req?: { isMock?: true } }} [record] */
  effect(kind, id, record) {
    const request = record?.req?.isMock ? record.req : undefined
    const lastRead = this.world.ledger.lastRead(id, this.node)
    return { kind, request, node: this.node, issuedAt: clock.now, lastRead }
  }

  /** What the database has, and how new that is. */
  read(id) {
    const json = this.world.database.read(id)
    return { json, order: this.world.ledger.order }
  }

  /** One call: way there, effect, way back, answer; or what goes wrong instead. */
  call(kind, id, effect, callback = () => {}) {
    const { world } = this
    const fault = world.faults.next(kind)
    const name = `store ${this.node} #${++this.calls} ${kind} ${id}`
    world.trace(name, fault ? `is called, with ${fault}` : 'is called')
    const { there, back } = this.#way(fault)
    const answer = (error, value) => {
      world.trace(name, 'answers', error ? error.message : (value?.json ?? value))
      callback(error, value)
    }
    clock.after(there, () => {
      if (fault === 'silence') return
      if (fault === 'error') {
        clock.after(back, () => answer(new Error('refused')))
        return
      }
      const value = effect()
      world.trace(name, 'is done', value?.json ?? value)
      const error = fault === 'error after effect' ? new Error('connection reset') : null
      if (fault !== 'silent effect') clock.after(this.#inOrder(back, fault), () => answer(error, value))
    })
  }

  #way(fault) {
    const { random, setting, options } = this.world
    const one = () => random.next() * (random.chance(setting.slow) ? setting.longest : setting.usual)
    const [there, back] = [one(), one()]
    if (fault === 'late effect') return { there: there + options.timeout, back }
    if (fault === 'late answer') return { there, back: back + options.timeout }
    if (setting.order === 'any' || fault) return { there, back }
    this.#lastThere = Math.max(this.#lastThere, clock.now + there)
    return { there: this.#lastThere - clock.now, back }
  }

  #inOrder(back, fault) {
    if (this.world.setting.order === 'any' || fault) return back
    this.#lastBack = Math.max(this.#lastBack, clock.now + back)
    return this.#lastBack - clock.now
  }
}

export class SimulatedStoreWithoutTouch extends SimulatedStore {
  get touch() {
    return undefined
  }
}

/** Gives a store compare-and-set. The version is the record's text, as in the stores that the package knows. */
export function addCompareAndSet(store) {
  const { versions } = store.world.setting
  if (versions !== 'none') store.versionOf = (record) => (versions === 'right' ? JSON.stringify(record) : 'wrong')
  const promised = (kind, id, effect) =>
    new Promise((resolve, reject) => {
      store.call(kind, id, effect, (error, value) => (error ? reject(error) : resolve(value)))
    })
  store.getVersioned = async (id) => {
    const { json, order } = await promised('get', id, () => store.read(id))
    store.world.ledger.readBy(id, store.node, order)
    return json && { record: JSON.parse(json), version: json }
  }
  store.setVersioned = (id, record, version) => {
    const json = JSON.stringify(record)
    const effect = { ...store.effect('set', id, record), isCompared: true }
    return promised('set', id, () => {
      if (store.world.database.read(id) !== version) return false
      store.world.database.write(id, json, effect)
      return true
    })
  }
}
