/**
 * Every guard, bound, rule and security condition of the core and of the shims, one row each: who adds one adds its row.
 *
 * A group is one source file, of `src/` unless it begins with `compat/`; its rows say what is broken, the text that is
 * replaced (it must be there exactly once), its replacement, and the test file that must fail, without `.test.ts`. Then, if need be, a pattern of the names of the tests
 * that are run, so that it is quick; and `'hangs'` where the test cannot even end. The test `model` is `test/model`, always
 * with the same seeds; then the number of histories that are needed follows.
 */
import { admission } from './table/admission.mjs'
import { authorization } from './table/authorization.mjs'
import { cluster } from './table/cluster.mjs'
import { compatAuthorizer } from './table/compat-authorizer.mjs'
import { compatFace } from './table/compat-face.mjs'
import { compatPackages } from './table/compat-packages.mjs'
import { compatSessions } from './table/compat-sessions.mjs'
import { cookie } from './table/cookie.mjs'
import { handshakeSession } from './table/handshake-session.mjs'
import { options } from './table/options.mjs'
import { origin } from './table/origin.mjs'
import { recovery } from './table/recovery.mjs'
import { registry } from './table/registry.mjs'
import { session } from './table/session.mjs'
import { sessionEnd } from './table/session-end.mjs'
import { sessionOrder } from './table/session-order.mjs'
import { socketIO } from './table/socket-io.mjs'
import { speaks } from './table/speaks.mjs'
import { store } from './table/store.mjs'
import { ticket } from './table/ticket.mjs'
import { workingCopy } from './table/working-copy.mjs'

const groups = [
  ...options,
  ...handshakeSession,
  ...cookie,
  ...origin,
  ...ticket,
  ...store,
  ...workingCopy,
  ...admission,
  ...authorization,
  ...socketIO,
  ...recovery,
  ...cluster,
  ...session,
  ...sessionOrder,
  ...sessionEnd,
  ...registry,
  ...speaks,
  ...compatAuthorizer,
  ...compatFace,
  ...compatSessions,
  ...compatPackages,
]

export const table = groups.flatMap(({ file, rows }) =>
  rows.map(([broken, text, replacement, test, only, hangs]) => ({
    file,
    broken,
    text,
    replacement,
    test,
    only,
    hangs,
  })),
)
