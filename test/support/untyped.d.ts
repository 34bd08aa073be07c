/** Packages of the tests that bring no types. */
declare module 'connect-pg-simple' {
  import type session from 'express-session'
  export default function connect(
    module: typeof session,
  ): new (options: {
    pool: unknown
    createTableIfMissing?: boolean
  }) => session.Store & { close(): Promise<void> | void }
}

declare module 'express-mysql-session' {
  import type session from 'express-session'
  export default function connect(
    module: typeof session,
  ): new (
    options: object,
    connection: unknown,
  ) => session.Store & { onReady(): Promise<void>; close(): Promise<void> }
}

declare module 'session-file-store' {
  import type session from 'express-session'
  export default function connect(module: typeof session): new (options: object) => session.Store
}

declare module 'memorystore' {
  import type session from 'express-session'
  export default function connect(module: typeof session): new (options: object) => session.Store
}
