/**
 * The Socket.IO side of the binding: `__zappa_settings` tells a client where the key request is, and `__zappa_key` binds
 * its socket to the session of the key. Clients send anything here; nothing of it may throw.
 */
import type { Channels, Context, EventContext, EventsContext, Options } from './context'
import { messageOf, settingsOf } from './context'
import { readKey, registryOf } from './store'
import { forgetUnbound } from './unbound-session'

type Bound = { context: EventsContext } & Options

/** Answers `__zappa_settings`. zappajs has its own; this is for those that are not, and to be called first of all. */
export function bind_settings({ context, settings = [] }: Bound): void {
  const names = ['zappa_prefix', 'zappa_channel', ...settings]
  context.on('__zappa_settings', (...args) => {
    const { prefix, channel } = settingsOf(context)
    const all = { ...context.app.settings, zappa_prefix: prefix, zappa_channel: channel }
    messageOf(args).ack?.(Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name))))
  })
}

/** Answers `__zappa_key`, and clears up after a socket that leaves. To be called after the app has set its store. */
export function bind_io({ context, ...options }: Bound): void {
  context.on('__zappa_key', function (...args) {
    const { data, ack } = messageOf(args)
    return ack && bindSocket(this, context, keyOf(data), options).then(ack, (error) => ack({ error: reason(error) }))
  })
  context.on('disconnect', function () {
    return forgetUnbound(this, registryOf(context, options))
  })
}

/** Why not, in the words that zappajs has for it. */
class Refusal extends Error {}

async function bindSocket(ctx: EventContext, context: Context, key: unknown, options: Options): Promise<object> {
  const { session_store: store } = context
  const registry = registryOf(context, options)
  if (!store || !registry) throw new Refusal('Missing session-store.')
  if (typeof key !== 'string' || key === '') throw new Refusal('Missing key.')
  const id = await readKey(store, key, options)
  if (id === undefined) throw new Refusal('Missing data')
  const { channel } = settingsOf(context)
  const live = await registry.open(id)
  await live.update((session) => {
    const channels = session as { __socket?: Channels }
    channels.__socket = { ...channels.__socket, [channel]: { id: ctx.id, key } }
  })
  ctx.client.__session_id = id
  return { key }
}

function reason(error: unknown): string {
  if (error instanceof Refusal) return error.message
  return (error as { code?: unknown }).code === 'ERR_SESSION_NOT_FOUND' ? 'Missing data' : String(error)
}

function keyOf(data: unknown): unknown {
  return (data as { key?: unknown } | null | undefined)?.key
}
