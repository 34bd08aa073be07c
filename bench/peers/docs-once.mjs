// https://socket.io/how-to/use-with-express-session, the variant that leaves the later requests of polling alone.
import { handle } from './docs.mjs'

export function install({ io, middleware }) {
  io.engine.use((req, res, next) => {
    const isHandshake = req._query.sid === undefined
    if (isHandshake) middleware(req, res, next)
    else next()
  })
  handle(io)
}
