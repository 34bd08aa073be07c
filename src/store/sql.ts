/** Compare-and-set for express-mysql-session and connect-pg-simple: an update of the row that still has the text. */
import { promisify } from 'node:util'
import { type AtomicStore, expiryOf } from './record'

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
    versionOf: (session) => JSON.stringify(session),
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

interface PostgreSQLRow {
  text?: string
  isBinary?: boolean
}

interface PostgreSQLStore {
  ttl?: number
  quotedTable(): string
  query(sql: string, params: unknown[], callback: (error: unknown, row?: PostgreSQLRow) => void): void
}

export function isPostgreSQLStore(store: unknown): store is PostgreSQLStore {
  const { quotedTable, query } = store as Partial<PostgreSQLStore>
  return typeof quotedTable === 'function' && typeof query === 'function'
}

/** A column of type `json` keeps its text; one of type `jsonb` writes it in its own way, so there the content is compared. */
export function atomicPostgreSQL(store: PostgreSQLStore): AtomicStore {
  const query = promisify(store.query.bind(store))
  let isSame = 'sess::text = $4'
  return {
    async getVersioned(id) {
      const row = await query(
        `SELECT sess::text AS text, pg_typeof(sess) = 'jsonb'::regtype AS "isBinary" FROM ${store.quotedTable()} WHERE sid = $1 AND expire >= to_timestamp($2)`,
        [id, Date.now() / 1000],
      )
      if (row?.isBinary) isSame = 'sess = $4'
      return row?.text ? { record: JSON.parse(row.text), version: row.text } : undefined
    },
    versionOf: (session) => JSON.stringify(session),
    async setVersioned(id, session, version) {
      const until = Math.ceil((expiryOf(session.cookie) ?? Date.now() + (store.ttl || 86_400) * 1000) / 1000)
      const row = await query(
        `UPDATE ${store.quotedTable()} SET sess = $1, expire = to_timestamp($2) WHERE sid = $3 AND ${isSame} RETURNING sid`,
        [session, until, id, version],
      )
      return row !== undefined
    },
  }
}
