/**
 * The app's `authorize`, in profiles that have one: it refuses a session by a value that many operations write. What it
 * says is judged here: whom it forbids, and since when.
 */
import { clock } from './clock.mjs'

const key = 'shared'

/** Of the values of the key about one in five is forbidden. @param {string | undefined} text its JSON */
function isForbidden(text) {
  return text !== undefined && /[05]"$/.test(text)
}

/** @returns the option, at once or after a while; undefined for a profile that has none */
export function authorizeOf(world) {
  const { authorizes } = world.profile
  if (!authorizes) return undefined
  return (session) => {
    const answer = !isForbidden(JSON.stringify(session[key]))
    if (authorizes === 'sync' || world.random.chance(0.5)) return answer
    return new Promise((resolve) => clock.after(world.random.next() * 30, () => resolve(answer)))
  }
}

/** Whether the store has it as forbidden. */
export function isForbiddenNow(world, id) {
  return Boolean(world.profile.authorizes) && isForbidden(world.ledger.story(id).now.texts?.get(key))
}

/** Whether some node may have seen it as forbidden since then. @param {number} since */
export function mayBeForbidden(world, id, since) {
  if (!world.profile.authorizes) return false
  const { states, writes } = world.ledger.story(id)
  const forbids = (write) => write.key === key && isForbidden(write.text)
  if (writes.some((write) => forbids(write) && !write.effect)) return true // On the object that a node has, at least.
  return states.some(
    ({ texts }, index) => isForbidden(texts?.get(key)) && (states[index + 1]?.at ?? clock.now) >= since,
  )
}

/** Nothing reaches a handler while the session is known to be forbidden, unless by what a handler itself did to the object. */
export function checkHandler(world, node, id, session, what) {
  if (!world.profile.authorizes) return
  const text = JSON.stringify(session[key])
  if (isForbidden(text) && !world.oracle.isLocal(node, id, key, text))
    world.oracle.violate('nobody who is forbidden', `${what} ran with ${key} = ${text}`)
}
