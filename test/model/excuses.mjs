/**
 * How the store may lawfully lose a write although it was acknowledged: what SECURITY.md does not promise, as exactly as
 * the model can tell. `loss` is the effect by which the write is gone; whatever no line excuses is a failure.
 */

/**
 * @typedef {object} Effect
 * @property {'set' | 'touch' | 'destroy' | 'expiry'} kind
 * @property {number} node
 * @property {number} issuedAt
 * @property {number} at when it happened
 * @property {number} order among all effects
 * @property {object} [request] the HTTP request whose `Session` object was written
 * @property {boolean} [isCompared] it was a compare-and-set
 * @property {number} [lastRead] how new the read was that the package was answered last, before it was issued
 */

export const excuses = [
  {
    name: 'whole copy',
    why: 'without mergeHttpSaves a request writes its whole copy, also over what was written since it read it',
    applies: ({ loss, written, setting }) => isWholeCopy(loss, setting) && loss.request.readFrom < written.order,
  },
  {
    name: 'begun first, landed last',
    why: 'of two writes at the same moment, one of a request, the one that lands last stays, without compare-and-set',
    applies: ({ loss, written, setting }) =>
      !loss.isCompared && isWholeCopy(written, setting) && written.issuedAt >= loss.issuedAt,
  },
  {
    name: 'too long to make way for',
    why: 'a save makes way for the writes of requests for a tenth of timeout, then it writes all the same',
    applies: ({ loss, written, setting, options }) =>
      !loss.isCompared && isWholeCopy(written, setting) && written.at - written.issuedAt > options.timeout / 10,
  },
  {
    name: 'another node',
    why: 'without compare-and-set a node cannot see what another wrote between its own read and its own write',
    applies: ({ loss, written }) =>
      !loss.isCompared && loss.node !== written.node && (loss.lastRead ?? -1) < written.order,
  },
  {
    name: 'late write',
    why: 'a write that timed out may still be done by the store, where it cannot compare and set',
    applies: ({ loss, options }) => !loss.isCompared && loss.at - loss.issuedAt > options.timeout,
  },
  {
    name: 'goes with the next save',
    why: 'what a handler or a request changed stays on its session object when a save fails, and is written by the next one',
    applies: ({ loss, instead }) =>
      instead && !instead.isAcknowledged && instead.node === loss.node && isOnObject(instead, loss),
  },
]

/** Whether the object that was written had that value since before. */
function isOnObject({ isLocal, request }, loss) {
  return isLocal || (request !== undefined && request === loss.request)
}

/** Whether a request's own copy was written as it was, as express-session does. */
function isWholeCopy({ request, isCompared }, { merge }) {
  return request !== undefined && !isCompared && (!merge || request.isNewSession)
}
