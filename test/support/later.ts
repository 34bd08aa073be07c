/**
 * Makes it later: both clocks at once, the wall clock and the monotonic one, without waiting.
 */
import { onTestFinished } from 'vitest'

/** From now on it is so many milliseconds later. @returns makes it now again; done at the end of the test in any case */
export function later(milliseconds: number): () => void {
  const clocks = [Date, performance].map((clock) => ({ clock, now: clock.now }))
  for (const { clock, now } of clocks) clock.now = () => now.call(clock) + milliseconds
  const restore = () => {
    for (const { clock, now } of clocks) clock.now = now
  }
  onTestFinished(restore)
  return restore
}
