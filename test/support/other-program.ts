/** A MemoryStore that shares its records with another: what a program that we do not see does to the store. */
import session from 'express-session'

export function otherProgram(store: session.Store): session.MemoryStore {
  const { sessions } = store as unknown as { sessions: object }
  return Object.assign(new session.MemoryStore(), { sessions })
}

/** Changes one key of a record, whole-document, as another program would. */
export async function write(store: session.Store, id: string, key: string, value: unknown): Promise<void> {
  const record = await read(store, id)
  if (!record) throw new Error('no such record')
  await new Promise<void>((done, fail) =>
    store.set(id, { ...record, [key]: value }, (error) => (error ? fail(error) : done())),
  )
}

export function read(store: session.Store, id: string): Promise<session.SessionData | null | undefined> {
  return new Promise((done, fail) => store.get(id, (error, record) => (error ? fail(error) : done(record))))
}
