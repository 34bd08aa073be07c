/** The other nodes, in whatever ways the users of one store reach them. */
import type { EndReason } from './endings'

/** A way to other nodes. */
export interface Peers {
  /** Whether there are other nodes that could be told. */
  readonly areReachable: boolean
  changed(room: string): void
  ended(room: string, reason: EndReason): void
}

export class AllPeers extends Set<Peers> implements Peers {
  get areReachable(): boolean {
    return [...this].some(({ areReachable }) => areReachable)
  }

  changed(room: string): void {
    for (const peers of this) if (peers.areReachable) peers.changed(room)
  }

  ended(room: string, reason: EndReason): void {
    for (const peers of this) peers.ended(room, reason)
  }
}
