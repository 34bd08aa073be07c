/**
 * Rule 4, time: intervals are measured on a monotonic clock, so that nobody's setting of the wall clock makes a session
 * fresh again. The wall clock is only for what cookies and stores say.
 */

/** Milliseconds since the process began. Whole ones: V8 makes an object of each fraction that is kept. */
export function now(): number {
  return Math.trunc(performance.now())
}

/** How late an expiry may be noticed, in ms. */
export const precision = 500
