/**
 * `autoSave`: what listeners changed in the session is saved when they return, again when the promises that they return
 * have settled, and when the client has left. What a callback changes after that goes with the next of these.
 */
import type { EventEmitter } from 'node:events'
import { isThenable, type SocketLike } from '../../src/internals'

type Listener = (...args: unknown[]) => unknown
type Socket = SocketLike & EventEmitter

/** @param save is to write nothing if nothing was changed */
export function autoSave(socket: Socket, save: () => void): void {
  // Also what was changed by listeners that were added before, and by those of `onAny`. They are called in the next tick.
  socket.use((_event, next) => {
    next()
    process.nextTick(save)
  })
  watchListeners(socket, save)
  socket.on('disconnect', save)
}

/** Nothing else tells what listeners return. */
function watchListeners(socket: Socket, returned: () => void): void {
  const watch = (listener: Listener, before = () => {}): Listener => {
    if (typeof listener !== 'function') return listener
    const watched: Listener = (...args) => {
      before()
      const result = listener.apply(socket, args)
      if (!isThenable(result)) returned()
      else Promise.resolve(result).finally(returned) // What rejects unheard still does.
      return result
    }
    return Object.assign(watched, { listener }) // By that `off` and `listeners` know it.
  }
  const add = socket.on
  const on = (event: string, listener: Listener) => add.call(socket, event, watch(listener))
  const once = (event: string, listener: Listener) => {
    const watched = watch(listener, () => socket.off(event, watched))
    return add.call(socket, event, watched)
  }
  Object.assign(socket, { on, addListener: on, once })
}
