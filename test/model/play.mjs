/**
 * Plays one plan, and watches the process meanwhile: what nobody awaits, and listeners that stay.
 */
import { play } from './quiet.mjs'
import { World } from './world.mjs'

/** Rejections that nobody heard, in the history that runs. */
let unheard = []
process.on('unhandledRejection', (error) => unheard.push(error))

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
