/**
 * The plan of a history: a pure function of seed and profile. Operations carry all their chance with them, so that each
 * can be left out and the others stay as they are.
 */
import { Random } from './random.mjs'

/** Who does it. */
export const kindsOf = {
  ...group(
    'http',
    'login',
    'own',
    'shared',
    'delete',
    'append',
    'read',
    'twice',
    'reload',
    'destroy',
    'regenerate',
    'ticket',
  ),
  ...group('client', 'connect', 'connect by ticket', 'join', 'leave', 'reconnect'),
  ...group(
    'event',
    'look',
    'save own',
    'save shared',
    'save delete',
    'save count',
    'update',
    'socket reload',
    'socket destroy',
  ),
  ...group(
    'server',
    'update by id',
    'revoke',
    'load',
    'load and save',
    'explain',
    'broadcast',
    'close the second',
    'set the clock back',
    'another program',
  ),
}

/** Those without a server come last. @param {import('./profiles.mjs').Profile} profile */
export function nodesOf({ nodes, emitters = 0 }) {
  return nodes + emitters
}

function group(name, ...kinds) {
  return Object.fromEntries(kinds.map((kind) => [kind, name]))
}

/** How often each kind is done. */
const usual = {
  login: 2,
  own: 6,
  shared: 3,
  delete: 2,
  append: 2,
  read: 3,
  twice: 2,
  reload: 2,
  destroy: 1,
  regenerate: 1,
  ticket: 1,
  connect: 4,
  'connect by ticket': 1,
  join: 2,
  leave: 2,
  reconnect: 1,
  look: 14,
  'save own': 5,
  'save shared': 3,
  'save delete': 2,
  'save count': 4,
  update: 7,
  'socket reload': 1,
  'socket destroy': 0.5,
  'update by id': 5,
  revoke: 1,
  load: 3,
  'load and save': 2,
  explain: 0,
  broadcast: 0,
  'another program': 0,
  burst: 0,
  absence: 0,
}

/** Several operations in one. */
const expanded = {
  /** Updates of one session at once. */
  burst: function* (random, profile, at) {
    const { node, browser } = operationOf(random, profile, 'burst', at)
    const count = 2 + random.below(6)
    for (let n = 0; n < count; n++) yield { ...operationOf(random, profile, 'update by id', at), node, browser }
  },
  /** All connections leave, and one comes back, within freshFor or later. */
  absence: function* (random, profile, at) {
    for (let slot = 0; slot < 4; slot++) yield { ...operationOf(random, profile, 'leave', at), slot }
    const pause = random.pick([5, 50, 250, 320, 800])
    yield { ...operationOf(random, profile, 'connect', at + pause), browser: 0 }
  },
}

/** @typedef {ReturnType<typeof planOf>} Plan */

/** @param {number | string} seed @param {import('./profiles.mjs').Profile} profile */
export function planOf(seed, profile) {
  const random = new Random(`${seed} ${profile.name}`)
  const setting = settingOf(profile, random)
  const options = { timeout: 1_000, freshFor: 300, recheck: 2_000, ...profile.options }
  const count = 20 + random.below(40)
  const weights = { ...usual, ...profile.weights }
  const operations = [...opening(random, profile)]
  let at = 60
  while (operations.length < count) {
    at += pauseOf(random)
    const kind = random.weighted(weights)
    operations.push(...(expanded[kind]?.(random, profile, at) ?? [operationOf(random, profile, kind, at)]))
    at = Math.max(at, operations.at(-1).at)
  }
  for (const [index, operation] of operations.entries()) operation.index = index
  return { seed: `${seed} ${profile.name}`, setting, options, operations, end: at }
}

function settingOf(profile, random) {
  return {
    versions: 'right',
    order: random.pick(['any', 'any', 'in order']),
    touch: random.pick(['none', 'ttl', 'cookie']),
    usual: random.pick([2, 10, 20]),
    longest: random.pick([40, 150]),
    slow: random.pick([0, 0.1, 0.3]),
    newsTime: random.pick([1, 20, 100]),
    lostNews: 0,
    merge: false,
    cas: false,
    ...profile.setting,
  }
}

/** Somebody logs in and connects, so that there is something to go wrong. */
function* opening(random, profile) {
  yield { ...operationOf(random, profile, 'login', 0), browser: 0, think: 0 }
  if (profile.isBobIn) yield { ...operationOf(random, profile, 'login', 0), browser: 1, think: 0 }
  for (let slot = 0; slot < 3; slot++) {
    yield { ...operationOf(random, profile, 'connect', 45), browser: 0, slot, node: slot % profile.nodes }
  }
}

/** Mostly things overlap; now and then all is done before the next. */
function pauseOf(random) {
  const long = random.next()
  if (long < 0.4) return random.next() * 4
  if (long < 0.85) return random.next() * 40
  return long < 0.97 ? random.next() * 200 : 300 + random.next() * 1_200
}

function operationOf(random, profile, kind, at) {
  return {
    kind,
    at,
    node: random.below(kindsOf[kind] === 'client' ? profile.nodes : nodesOf(profile)),
    browser: random.chance(profile.isBobIn ? 0.6 : 0.85) ? 0 : 1,
    slot: random.below(4),
    think: random.chance(0.5) ? 0 : random.next() * random.pick([5, 60]),
    choice: random.below(1_000),
    variant: random.below(1_000),
    isAsync: random.chance(0.5),
  }
}
