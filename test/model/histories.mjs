/**
 * Plays histories, one after the other, and reports.
 */
import { createHash } from 'node:crypto'
import { planOf } from './history.mjs'
import { playPlan } from './play.mjs'
import { profiles } from './profiles.mjs'
import { shrink } from './shrink.mjs'

const { log } = console

/** @returns {Promise<number>} how many failed */
export async function runAll({ histories, seed, profile, part: [part, parts], isTraced, isHashed, shown, program }) {
  const chosen = choose(profile)
  const hash = createHash('sha256')
  const failed = []
  for (let index = part; index < histories; index += parts) {
    const history = { seed: seed + index, profile: chosen[index % chosen.length] }
    const plan = planOf(history.seed, history.profile)
    const { lines, oracle } = await playPlan(plan, history.profile, { isTraced: isTraced || isHashed, program })
    if (isTraced) log(lines.join('\n'))
    if (isHashed) hash.update(lines.join('\n'))
    if (oracle.violations.length === 0) continue
    failed.push({ ...history, plan, violations: oracle.violations })
    if (failed.length <= shown) await report(failed.at(-1), program)
  }
  summarize(failed, Math.ceil((histories - part) / parts))
  if (isHashed) log(hash.digest('hex'))
  return failed.length
}

function choose(profile) {
  const chosen = profiles.filter(({ name }) => profile === undefined || name === profile)
  if (chosen.length > 0) return chosen
  throw new Error(`no such profile; there are: ${profiles.map(({ name }) => name).join(' | ')}`)
}

async function report({ seed, profile, plan, violations }, program) {
  const [{ invariant, message }] = violations
  log(`\n✗ seed ${seed}, profile '${profile.name}': ${invariant}: ${message}`)
  const shortest = await shrink(plan, profile, invariant, program)
  const [least, all] = [shortest.plan, plan].map(({ operations }) => operations.length)
  log(`  ${least} of ${all} operations are enough; ${JSON.stringify(plan.setting)}`)
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
