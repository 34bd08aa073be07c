/**
 * `io.sockets.socket(id)` of an id that is not on this node: it may be on another, so what can be sent there is sent. 0.9
 * gave such an object for any id.
 */
import type { Namespace } from 'socket.io'

export function socketElsewhere(namespace: Namespace, id: string): object {
  const to = namespace.in(String(id))
  const known = { id, nsp: namespace, namespace, connected: false, disconnected: true, handshake: undefined }
  const methods = {
    join(room: string) {
      to.socketsJoin(room)
      return to
    },
    leave(room: string) {
      to.socketsLeave(room)
      return to
    },
    disconnect(close = false) {
      to.disconnectSockets(close)
      return to
    },
    get(_key: string, callback?: (error: null, value: null) => void) {
      callback?.(null, null)
      return to
    },
    has(_key: string, callback?: (error: null, value: boolean) => void) {
      callback?.(null, false)
      return to
    },
  }
  return Object.assign(to, known, methods)
}
