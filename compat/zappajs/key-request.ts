/**
 * The Express side of the binding: `GET <prefix>/socket/:channel_name/:socket_id` answers with a key for the session of
 * the request. Whoever shows that key on a socket is bound to the session (`key-event.ts`).
 */
import type { Channels, Options, RequestContext, RoutingContext } from './context'
import { settingsOf } from './context'
import { mintKey, readKey } from './store'

type Bound = { context: RoutingContext } & Options

/** Registers the key request. To be called after the app has set its store and prefix, as zappajs does. */
export function bind_express({ context, ...options }: Bound): void {
  context.get(`${settingsOf(context).prefix}/socket/:channel_name/:socket_id`, async function () {
    this.res.setHeader('Cache-Control', 'no-store')
    try {
      this.json(await answer(this, context, options))
    } catch (error) {
      const [status, message] = error instanceof Refusal ? [error.status, error.message] : [500, String(error)]
      this.res.status(status)
      this.json({ error: message })
    }
  })
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

async function answer(request: RequestContext, context: RoutingContext, options: Options): Promise<{ key: string }> {
  const { session, params } = request
  const store = context.session_store
  if (!store) throw new Refusal(500, 'No session-store.')
  if (!session) throw new Refusal(400, 'No session')
  const channels = ownChannels(session.__socket)
  const known = channels[params.channel_name]
  const isValid = typeof known?.key === 'string' && (await readKey(store, known.key, options)) === session.id
  const key = isValid ? known.key : await mintKey(store, session, options)
  const id = options.trustSocketId ? params.socket_id : known?.id
  channels[params.channel_name] = { id, key }
  session.__socket = channels
  return { key }
}

/** Without a prototype: a client chooses the name of the channel, and `constructor` or `__proto__` are names as well. */
function ownChannels(channels: Channels | undefined): Channels {
  return Object.assign(Object.create(null), channels)
}
