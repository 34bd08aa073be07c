/**
 * What the histories run on. `setting` is the store and the network, `options` are those of the package. `weaker` names
 * the invariants that do not hold there, each with the reason; how a write may be lost lawfully is in `excuses.mjs`.
 */

/**
 * @typedef {object} Profile
 * @property {string} name
 * @property {1 | 2 | 3} nodes
 * @property {object} [setting]
 * @property {object} [options]
 * @property {object} [faults]
 * @property {Record<string, number>} [weights]
 * @property {Record<string, string>} [weaker]
 * @property {number} [instances]
 * @property {number} [emitters] further nodes, without a server
 * @property {boolean} [recovery]
 * @property {boolean} [isDynamic] the second namespace is a dynamic one
 * @property {'sync' | 'async'} [authorizes] whether the app has `authorize`, and how that answers
 * @property {boolean} [isBobIn] two browsers are logged in from the beginning
 */

const cas = { cas: true }
const merge = { merge: true }
const merging = { mergeHttpSaves: true }

/** Many sessions end while they are written. */
const ending = { explain: 4, destroy: 3, regenerate: 2, revoke: 3, login: 6, own: 8, 'update by id': 8 }
/** Answers overtake each other, and much happens at once. */
const late = { usual: 5, longest: 150, slow: 0.3, order: 'any' }
const crowded = { own: 9, update: 10, look: 22, 'connect by ticket': 0, ticket: 0, regenerate: 0.5, revoke: 0.5 }
const ticketing = { ticket: 6, 'connect by ticket': 14, connect: 1 }
const recovering = { broadcast: 8, reconnect: 8, leave: 3, regenerate: 2, login: 3 }
/** Sessions that are forbidden, and allowed again. */
const forbidding = { shared: 9, 'save shared': 6, connect: 9, explain: 2 }

const twice = {
  'tickets once':
    'that a ticket was used may be overwritten: by a whole copy, or without compare-and-set by the other node',
}

const errors = { probability: 0.08, kinds: { error: 1, 'error after effect': 1 } }
const silence = { probability: 0.06, kinds: { silence: 1, 'silent effect': 2, 'late effect': 1, 'late answer': 1 } }

const unreliable = {
  'end is told once': 'a destroy that fails is tried again, and each try tells',
}
const silent = {
  ...unreliable,
  'every request answered': 'express-session itself waits for ever for a store that does not answer',
}
const expiring = {
  'end is told once': 'a session that a request extends when it has just expired lives again, and ends again',
}

/** @type {Profile[]} */
export const profiles = [
  { name: 'one', nodes: 1 },
  { name: 'one, cas', nodes: 1, setting: cas },
  { name: 'one, merge', nodes: 1, setting: merge, options: merging },
  { name: 'one, cas, merge', nodes: 1, setting: { ...cas, ...merge }, options: merging },
  { name: 'slow answers', nodes: 1, setting: late, weights: crowded },
  { name: 'slow answers, cas', nodes: 1, setting: { ...late, ...cas }, weights: crowded },
  { name: 'two', nodes: 2, weaker: twice },
  { name: 'two, cas', nodes: 2, setting: cas, weaker: twice },
  { name: 'two, merge', nodes: 2, setting: merge, options: merging, weaker: twice },
  { name: 'two, cas, merge', nodes: 2, setting: { ...cas, ...merge }, options: merging },
  { name: 'three', nodes: 3, weaker: twice },
  { name: 'three, cas, merge', nodes: 3, setting: { ...cas, ...merge }, options: merging },
  { name: 'three, lost news, cas', nodes: 3, setting: { lostNews: 0.3, ...cas }, weights: ending, weaker: twice },
  { name: 'errors', nodes: 1, faults: errors, weights: ending, weaker: unreliable },
  {
    name: 'errors, cas, merge',
    nodes: 1,
    setting: { ...cas, ...merge },
    options: merging,
    faults: errors,
    weaker: unreliable,
  },
  { name: 'errors, two', nodes: 2, faults: errors, weaker: { ...unreliable, ...twice } },
  { name: 'errors, two, cas', nodes: 2, setting: cas, faults: errors, weaker: { ...unreliable, ...twice } },
  { name: 'silence', nodes: 1, faults: silence, weights: ending, weaker: silent },
  { name: 'silence, merge', nodes: 1, setting: merge, options: merging, faults: silence, weaker: silent },
  { name: 'silence, two, cas', nodes: 2, setting: cas, faults: silence, weaker: { ...silent, ...twice } },
  { name: 'short maxAge', nodes: 1, setting: { maxAge: 700 }, weaker: expiring },
  { name: 'short maxAge, two, cas', nodes: 2, setting: { maxAge: 700, ...cas }, weaker: { ...expiring, ...twice } },
  { name: 'lost news', nodes: 2, setting: { lostNews: 0.4 }, weaker: twice },
  { name: 'lost news, cas, merge', nodes: 2, setting: { lostNews: 0.4, ...cas, ...merge }, options: merging },
  { name: 'two instances', nodes: 1, instances: 2, weights: { 'close the second': 1 } },
  { name: 'two instances, cas, merge', nodes: 1, instances: 2, setting: { ...cas, ...merge }, options: merging },
  { name: 'bursts', nodes: 1, weights: { burst: 6, absence: 2 } },
  { name: 'bursts, cas', nodes: 1, setting: cas, weights: { burst: 6, absence: 2 } },
  {
    name: 'bursts, two, cas, merge',
    nodes: 2,
    setting: { ...cas, ...merge },
    options: merging,
    weights: { burst: 6, absence: 2 },
  },
  {
    name: 'bursts, errors, cas',
    nodes: 1,
    setting: cas,
    faults: errors,
    weights: { ...ending, burst: 6 },
    weaker: unreliable,
  },
  { name: 'bursts, silence, cas', nodes: 1, setting: cas, faults: silence, weights: { burst: 6 }, weaker: silent },
  { name: 'another program, cas', nodes: 1, setting: cas, weights: { burst: 3, 'another program': 8, absence: 2 } },
  {
    name: 'another program, wrong versions, cas',
    nodes: 1,
    setting: { ...cas, versions: 'wrong' },
    weights: { burst: 3, 'another program': 8, absence: 2 },
  },
  {
    name: 'versions only from reads, two, cas',
    nodes: 2,
    setting: { ...cas, versions: 'none' },
    weights: { burst: 3, 'another program': 4 },
    weaker: twice,
  },
  { name: 'absences', nodes: 1, weights: { absence: 8, connect: 2 } },
  { name: 'absences, two, cas', nodes: 2, setting: cas, weights: { absence: 8, connect: 2 }, weaker: twice },
  { name: 'not required', nodes: 1, options: { required: false } },
  {
    name: 'recovery',
    nodes: 1,
    recovery: true,
    isBobIn: true,
    weights: recovering,
  },
  { name: 'recovery, two', nodes: 2, recovery: true, isBobIn: true, weights: recovering, weaker: twice },
  { name: 'dynamic', nodes: 1, isDynamic: true, weights: { join: 6 } },
  { name: 'dynamic, recovery', nodes: 1, isDynamic: true, recovery: true, isBobIn: true, weights: recovering },
  { name: 'emitter', nodes: 1, emitters: 1, weaker: twice },
  { name: 'emitter, two, cas, merge', nodes: 2, emitters: 1, setting: { ...cas, ...merge }, options: merging },
  { name: 'authorize', nodes: 1, authorizes: 'sync', weights: forbidding },
  { name: 'authorize later', nodes: 1, authorizes: 'async', setting: late, weights: forbidding },
  {
    name: 'authorize later, two, cas',
    nodes: 2,
    authorizes: 'async',
    setting: cas,
    weights: forbidding,
    weaker: twice,
  },
  { name: 'tickets', nodes: 1, weights: ticketing },
  {
    name: 'tickets, two, cas, merge',
    nodes: 2,
    setting: { ...cas, ...merge },
    options: merging,
    weights: ticketing,
  },
  {
    name: 'clock set back',
    nodes: 2,
    setting: { lostNews: 1 },
    weights: { 'set the clock back': 2, look: 25 },
    weaker: twice,
  },
]
