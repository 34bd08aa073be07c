/**
 * The old table `session` and its rows, on any MySQL driver: one row found, one row written whole or not at all. What a
 * row means to a socket is the business of `session.ts`.
 */
import { ask } from '../answer'

/** A connection or a pool of `mysql` or `mysql2`, with callbacks or with promises. */
export interface Database {
  query(sql: string, values: unknown[], callback: (error: unknown, results?: unknown) => void): unknown
}

/** What a session holds: anything that JSON can say. Without a prototype, so that nobody finds `toString` in it. */
export type Values = Record<string, unknown>

interface Row {
  sessionId: string
  /** Seconds since 1970. */
  expires: number
  data: string | null
}

/** The table as its users have it. Nothing here creates or changes it. */
export const createTable = `CREATE TABLE \`session\` (
    \`sessionId\` varchar(32) COLLATE utf8_bin NOT NULL,
    \`expires\` int(11) unsigned NOT NULL,
    \`data\` text COLLATE utf8_bin,
    PRIMARY KEY (\`sessionId\`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_bin;`

const selectRow = 'SELECT * FROM session WHERE sessionId = ?'
const upsertRow =
  'INSERT INTO session (sessionId, expires, data) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE expires = ?, data = ?'
const selectCapacity =
  'SELECT CHARACTER_OCTET_LENGTH AS capacity FROM information_schema.COLUMNS ' +
  "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'session' AND COLUMN_NAME = 'data'"

/** Bytes of a column of type TEXT. */
const textCapacity = 65_535

export class SessionTable {
  readonly #db: Database
  readonly #timeout: number
  readonly #log: (message: string) => void

  /** @param timeout ms that the database has for an answer @param log told each statement, without its values */
  constructor(db: Database, timeout: number, log: (message: string) => void) {
    this.#db = db
    this.#timeout = timeout
    this.#log = log
  }

  /** The row with exactly this id, whatever the collation of the table takes for equal. @throws the driver's error */
  async find(token: string): Promise<Row | undefined> {
    const rows = await this.#query<Row>(selectRow, [token])
    return rows.find(({ sessionId }) => sessionId === token)
  }

  /**
   * Writes the row, a new one or over the old one. Data too long for the column is refused before anything is sent:
   * a server that is not in strict mode would cut it off, and so destroy the old row.
   * @throws RangeError, or the driver's error
   */
  async save(token: string, expires: number, data: string): Promise<void> {
    const length = Buffer.byteLength(data)
    if (length > textCapacity && length > (await this.#capacity())) {
      throw new RangeError(`the session has ${length} bytes as JSON, more than its column \`data\` can hold`)
    }
    await this.#query(upsertRow, [token, expires, data, expires, data])
  }

  /** Bytes that the column can hold; only asked for what would not fit the column of `createTable`. */
  async #capacity(): Promise<number> {
    const [column] = await this.#query<{ capacity: number | null }>(selectCapacity, [])
    return column?.capacity ?? textCapacity
  }

  async #query<T>(sql: string, values: unknown[]): Promise<T[]> {
    this.#log(`query: ${sql}`)
    const [error, rows] = await ask<[unknown, unknown?]>('the database', this.#timeout, (answer) => {
      const query = this.#db.query(sql, values, answer)
      return query instanceof Promise ? query.then(([rows]) => answer(null, rows)) : undefined
    })
    if (error) throw error
    return rows as T[]
  }
}

/** Whether this can be the id of a row: what `uid-safe` makes of 24 bytes, or another url-safe name that fits the column. */
export function isToken(token: unknown): token is string {
  return typeof token === 'string' && /^[\w-]{1,32}$/.test(token)
}

/** As JSON that fits the charset of the table, which knows no character of four bytes: those are written as escapes. */
export function encode(values: Values): string {
  return JSON.stringify(values).replace(/[\ud800-\udfff]/g, (half) => `\\u${half.charCodeAt(0).toString(16)}`)
}

/** The values in a row, or undefined if what it holds is no JSON object. */
export function decode(data: unknown): Values | undefined {
  try {
    const values: unknown = JSON.parse(String(data))
    return typeof values === 'object' && values && !Array.isArray(values) ? noValues(values) : undefined
  } catch {
    return undefined
  }
}

/** A new, empty object of values, or one with those of `origin`. */
export function noValues(origin: object = {}): Values {
  return Object.assign(Object.create(null), origin)
}
