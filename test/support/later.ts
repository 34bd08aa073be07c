/**
 * Makes it later: both clocks at once, the wall clock and the monotonic one, without waiting.
 */
import { onTestFinished, vi } from 'vitest'

/** From now on it is so many milliseconds later. @returns makes it now again; done at the end of the test in any case */
export function later(milliseconds: number): () => void {
  const spies = [Date, performance].map((clock) => {
    const now = clock.now.bind(clock)
    return vi.spyOn(clock, 'now').mockImplementation(() => now() + milliseconds)
  })
  const restore = () => {
    for (const spy of spies) spy.mockRestore()
  }
  onTestFinished(restore)
  return restore
}
