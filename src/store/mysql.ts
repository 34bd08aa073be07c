/**
 * Compare-and-set for express-mysql-session: an update of the row that still has the text.
 */
import type { AtomicStore } from './atomic-store'
import { expiryOf } from './record'

interface MySQLStore {
  options: {
    expiration: number
    schema: { tableName: string; columnNames: { session_id: string; expires: string; data: string } }
  }
  query(sql: string, params: unknown[]): Promise<[unknown]>
}

export function isMySQLStore(store: unknown): store is MySQLStore {
  const { options, query } = store as Partial<MySQLStore>
  return typeof query === 'function' && Boolean(options?.schema?.columnNames?.session_id)
}

export function atomicMySQL(store: MySQLStore): AtomicStore {
  const { schema, expiration } = store.options
  const { session_id, expires, data } = schema.columnNames
  return {
    async getVersioned(id) {
      const sql = 'SELECT ?? AS data FROM ?? WHERE ?? = ? AND ?? >= ?'
      const params = [data, schema.tableName, session_id, id, expires, Math.round(Date.now() / 1000)]
      const [rows] = await store.query(sql, params)
      const [row] = rows as { data: unknown }[]
      return typeof row?.data === 'string' ? { record: JSON.parse(row.data), version: row.data } : undefined
    },
    async setVersioned(id, session, version) {
      const until = Math.round((expiryOf(session.cookie) ?? Date.now() + expiration) / 1000)
      const sql = 'UPDATE ?? SET ?? = ?, ?? = ? WHERE ?? = ? AND BINARY ?? = ?'
      const [result] = await store.query(sql, [
        ...[schema.tableName, expires, until, data, JSON.stringify(session)],
        ...[session_id, id, data, version],
      ])
      return (result as { affectedRows: number }).affectedRows === 1
    },
  }
}
