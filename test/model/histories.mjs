/**
 * Plays histories, one after the other, and reports.
 */
import { createHash } from 'node:crypto'
import { planOf } from './history.mjs'
import { profiles } from './profiles.mjs'
import { play } from './quiet.mjs'
import { shrink } from './shrink.mjs'
import { World } from './world.mjs'

const { log } = console
/** Rejections that nobody heard, in the history that runs. */
let unheard = []
process.on('unhandledRejection', (error) => unheard.push(error))

/** @returns how many failed */
export async function runAll({ histories, seed, profile, part: [part, parts], isTraced, isHashed, shown, program }) {
  const chosen = profiles.filter(({ name }) => profile === undefined || name === profile)
  if (chosen.length === 0)
    throw new Error(`no such profile; there are: ${profiles.map(({ name }) => name).join(' | ')}`)
  const hash = createHash('sha256')
  const failed = []
  for (let index = part; index < histories; index += parts) {
    const plan = planOf(seed + index, chosen[index % chosen.length])
    const world = await playPlan(plan, chosen[index % chosen.length], { isTraced: isTraced || isHashed, program })
    if (isTraced) log(world.lines.join('\n'))
    for (const line of world.lines) hash.update(line)
    if (world.oracle.violations.length === 0) continue
    failed.push({
      seed: seed + index,
      profile: chosen[index % chosen.length],
      violations: world.oracle.violations,
      plan,
    })
    if (failed.length <= shown) await report(failed.at(-1), program)
  }
  summarize(failed, Math.ceil((histories - part) / parts))
  if (isHashed) log(hash.digest('hex'))
  return failed.length
}

/** @returns {Promise<World>} as it is at the end */
export async function playPlan(plan, profile, options) {
  unheard = []
  const world = new World(plan, profile, options)
  const listeners = process
    .eventNames()
    .map((name) => process.listenerCount(name))
    .join()
  await play(world)
  for (const error of unheard) world.oracle.violate('nothing rejects unheard', error?.stack ?? String(error))
  const now = process
    .eventNames()
    .map((name) => process.listenerCount(name))
    .join()
  if (now !== listeners) world.oracle.violate('no listener is left', 'of the process')
  return world
}

async function report({ seed, profile, plan, violations }, program) {
  const [{ invariant, message }] = violations
  log(`\n✗ seed ${seed}, profile '${profile.name}': ${invariant}: ${message}`)
  const shortest = await shrink(plan, profile, invariant, program)
  log(
    `  ${shortest.plan.operations.length} of ${plan.operations.length} operations are enough; ${JSON.stringify(plan.setting)}`,
  )
  log(shortest.lines.map((line) => `  ${line}`).join('\n'))
  log(`  again: npm run model -- 1 --seed ${seed} --profile '${profile.name}' --trace`)
}

function summarize(failed, histories) {
  const counts = new Map()
  for (const { violations, seed, profile } of failed) {
    const { invariant } = violations[0]
    const seeds = counts.get(invariant) ?? []
    counts.set(invariant, [...seeds, `${seed} '${profile.name}'`])
  }
  log(`${failed.length} of ${histories} histories failed`)
  for (const [invariant, seeds] of counts) log(`  ${seeds.length} × ${invariant}: ${seeds.slice(0, 6).join(', ')}`)
}
