/**
 * Compare-and-set for connect-pg-simple: an update of the row that still has the text.
 */
import type { AtomicStore } from './atomic-store'
import { expiryOf } from './record'

interface PostgreSQLStore {
  ttl?: number
  quotedTable(): string
  query(sql: string, params: unknown[], callback: (error: unknown, row?: { text?: string }) => void): void
}

export function isPostgreSQLStore(store: unknown): store is PostgreSQLStore {
  const { quotedTable, query } = store as Partial<PostgreSQLStore>
  return typeof quotedTable === 'function' && typeof query === 'function'
}

/** A column of type `json` keeps its text, one of type `jsonb` writes it always the same way. */
export function atomicPostgreSQL(store: PostgreSQLStore): AtomicStore {
  const query = (sql: string, params: unknown[]) =>
    new Promise<{ text?: string } | undefined>((resolve, reject) => {
      store.query(sql, params, (error, row) => (error ? reject(error) : resolve(row)))
    })
  return {
    async getVersioned(id) {
      const row = await query(
        `SELECT sess::text AS text FROM ${store.quotedTable()} WHERE sid = $1 AND expire >= to_timestamp($2)`,
        [id, Date.now() / 1000],
      )
      return row?.text ? { record: JSON.parse(row.text), version: row.text } : undefined
    },
    async setVersioned(id, session, version) {
      const until = Math.ceil((expiryOf(session.cookie) ?? Date.now() + (store.ttl || 86_400) * 1000) / 1000)
      const row = await query(
        `UPDATE ${store.quotedTable()} SET sess = $1, expire = to_timestamp($2) WHERE sid = $3 AND sess::text = $4 RETURNING sid`,
        [session, until, id, version],
      )
      return row !== undefined
    },
  }
}
