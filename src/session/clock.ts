/**
 * Rule 4, time: intervals are measured on a monotonic clock, so that setting the wall clock back never makes a
 * session fresh again. The wall clock is used only for what cookies and stores say.
 */

/** Milliseconds since the process began, without the fraction: V8 allocates an object for each fraction that is kept. */
export function now(): number {
  return Math.trunc(performance.now())
}

/** How late an expiry may be noticed, in ms. */
export const precision = 500
