/**
 * Makes a failing history shorter: leaves out operations, as many at once as possible, as long as the same invariant fails.
 */
import { playPlan } from './play.mjs'

/** How many histories it may take. */
const budget = 400

/** @returns the shortest plan, and the trace up to the violation */
export async function shrink(plan, profile, invariant, program) {
  let best = plan
  let left = budget
  const fails = async (operations) => {
    left--
    const { oracle } = await playPlan({ ...plan, operations }, profile, { program })
    return oracle.violations[0]?.invariant === invariant
  }
  for (let size = Math.ceil(plan.operations.length / 2); size >= 1 && left > 0; ) {
    const shorter = await withoutSome(best.operations, size, fails, () => left > 0)
    if (shorter) best = { ...plan, operations: shorter }
    else size = size === 1 ? 0 : Math.ceil(size / 2)
  }
  const { lines } = await playPlan(best, profile, { program, isTraced: true })
  const end = lines.findIndex((line) => line.includes(' VIOLATION: '))
  return { plan: best, lines: lines.slice(0, end + 1) }
}

async function withoutSome(operations, size, fails, mayTry) {
  for (let from = 0; from < operations.length && mayTry(); from += size) {
    const rest = [...operations.slice(0, from), ...operations.slice(from + size)]
    if (await fails(rest)) return rest
  }
  return undefined
}
