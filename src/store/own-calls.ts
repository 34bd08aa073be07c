/**
 * The session objects that a call of ours to a store has now. What the store itself does with them, a `set` that calls
 * `this.set` again for instance, is part of that call and no write of somebody else.
 */
const inOwnCall = new WeakSet<object>()

export function isInOwnCall(session: object): boolean {
  return inOwnCall.has(session)
}

export async function asOwnCall<T>(session: object, call: () => Promise<T>): Promise<T> {
  inOwnCall.add(session)
  try {
    return await call()
  } finally {
    inOwnCall.delete(session)
  }
}
