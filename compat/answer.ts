/**
 * One answer from somebody else's callback-style function, whatever it does: old parsers, authorizers and stores throw,
 * call back twice, reject, or never answer. What the answer means is the caller's business.
 */
import { SessionError } from '../src'

/**
 * Starts `start` and resolves to the arguments of its first callback. Later callbacks, throws and rejections are dropped.
 * @param who named in the message when it does not answer
 * @param timeout milliseconds it may take
 * @throws (rejects) what `start` throws or rejects with before it answered, and an Error after `timeout`
 */
export async function ask<Answer extends unknown[]>(
  who: string,
  timeout: number,
  start: (answer: (...args: Answer) => void) => unknown,
): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<Answer>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`${who} did not answer within ${timeout} ms`)), timeout).unref()
      const returned = start((...answer) => resolve(answer))
      Promise.resolve(returned).catch(reject)
    })
  } finally {
    clearTimeout(timer)
  }
}

/** @throws SessionError `ERR_SESSION_OPTIONS` for anything but milliseconds that a timer can wait */
export function checkTimeout(timeout: unknown = 10_000): number {
  if (typeof timeout === 'number' && timeout > 0 && timeout <= 2 ** 31 - 1) return timeout
  throw new SessionError('ERR_SESSION_OPTIONS', `timeout: expected milliseconds above 0, got ${String(timeout)}`)
}
