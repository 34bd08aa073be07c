/**
 * What shims get of a `HandshakeSessions` beyond its public API, by `internals.ts`: above all `attach` as a function for
 * `io.use`, which was the API of those who came before.
 */
import type { SessionRegistry } from '../session/registry'
import type { Admission } from './admission'
import type { Cluster } from './cluster'
import { type Guard, prepare, serverOf } from './namespaces'

interface Parts {
  readonly registry: SessionRegistry
  readonly admission: Admission
  readonly cluster: Cluster
}

const parts = new WeakMap<object, Parts>()

/** Lets the functions below find these. */
export function shareParts(sessions: object, of: Parts): void {
  parts.set(sessions, of)
}

/**
 * The guard that `attach` adds, for one namespace: `io.use(guardOf(sessions))`. The server is known by the first socket that
 * connects: with connection state recovery that other nodes share, one that was lost there is not asked for its session before.
 */
export function guardOf(sessions: object): Guard {
  const { admission, cluster } = partsOf(sessions)
  return (socket, next) => {
    prepare(socket.nsp)
    cluster.join(serverOf(socket.nsp))
    admission.guard(socket, next)
  }
}

export function registryOf(sessions: object): SessionRegistry {
  return partsOf(sessions).registry
}

function partsOf(sessions: object): Parts {
  return parts.get(sessions) as Parts
}
