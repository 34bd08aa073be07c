/**
 * What the histories run on. `setting` is the store and the network, `options` are those of the package. `weaker` names
 * the invariants that do not hold there, each with the reason; how a write may be lost lawfully is in `excuses.mjs`.
 */

/**
 * @typedef {object} Profile
 * @property {string} name
 * @property {1 | 2} nodes
 * @property {object} [setting]
 * @property {object} [options]
 * @property {object} [faults]
 * @property {Record<string, number>} [weights]
 * @property {Record<string, string>} [weaker]
 * @property {number} [instances]
 * @property {boolean} [recovery]
 */

const cas = { cas: true }
const merge = { merge: true }
const merging = { mergeHttpSaves: true }

/** @type {Profile[]} */
export const profiles = [
  { name: 'one', nodes: 1 },
  { name: 'one, cas', nodes: 1, setting: cas },
  { name: 'one, merge', nodes: 1, setting: merge, options: merging },
  { name: 'one, cas, merge', nodes: 1, setting: { ...cas, ...merge }, options: merging },
  { name: 'two', nodes: 2 },
  { name: 'two, cas', nodes: 2, setting: cas },
  { name: 'two, merge', nodes: 2, setting: merge, options: merging },
  { name: 'two, cas, merge', nodes: 2, setting: { ...cas, ...merge }, options: merging },
]
