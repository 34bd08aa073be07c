/**
 * The session of one event, from before its handlers until what they changed is written: `bind_middleware`. Each event has
 * a copy of its own, so that a handler that fails leaves nothing behind; what it changed is carried over to what the
 * store holds by then, key by key, and only if the session still exists.
 */
import type { ExpressSession, StoreLike } from '../../src'
import { isThenable, type SessionRegistry, WorkingCopy } from '../../src/internals'
import { BoundSession } from './bound-session'
import type { Context, EventContext, MiddlewareContext, Options } from './context'
import { report } from './context'
import { registryOf } from './store'
import { UnboundSession } from './unbound-session'

type Bound = { context: MiddlewareContext } & Options
type Run = (session: ExpressSession | undefined) => unknown

/** Gives every handler its session. To be called before the app registers handlers, as zappajs does. */
export function bind_middleware({ context, ...options }: Bound): void {
  context.io_use((ctx, _res, next) => {
    const run: Run = (session) => {
      ctx.session = session
      ctx.req = Object.assign(ctx.req ?? {}, { session })
      return next()
    }
    return runEvent(ctx, context, run, options).catch((error) => report(error, options))
  })
}

/**
 * Runs the handler once, whatever happens: with the session, or without one if there is none or the store fails. A
 * binding to a session that is over is given up.
 */
async function runEvent(ctx: EventContext, context: Context, run: Run, options: Options): Promise<void> {
  const registry = registryOf(context, options)
  const store = context.session_store
  const stored = registry && store && sessionOf(ctx, store, registry, options)
  if (!stored) return void (await run(undefined))
  let hasRun = false
  const runOnce: Run = (session) => {
    hasRun = true
    return run(session)
  }
  try {
    await work(stored, runOnce)
  } catch (error) {
    const isOver = (error as { code?: unknown } | null)?.code === 'ERR_SESSION_NOT_FOUND'
    if (!isOver) report(error, options)
    else if (ctx.client.__session_id === stored.id) delete ctx.client.__session_id
    const mayStartOver = isOver && !(stored instanceof UnboundSession)
    if (!hasRun) await (mayStartOver ? runEvent(ctx, context, run, options) : run(undefined))
  }
}

function sessionOf(
  ctx: EventContext,
  store: StoreLike,
  registry: SessionRegistry,
  options: Options,
): EventSession | undefined {
  const id = ctx.client.__session_id
  if (id !== undefined) return new BoundSession(registry.at(id))
  return options.unbound === 'none' ? undefined : new UnboundSession(ctx, store, registry, options)
}

type EventSession = BoundSession | UnboundSession

/**
 * Nothing else of this process comes between reading the session, a handler that returns at once, and writing. One
 * that returns a promise lets others pass while it works, and is written when that has resolved.
 */
async function work(stored: EventSession, run: Run): Promise<void> {
  const begun = await stored.exclusive(async () => {
    const copy = await copyOf(stored)
    const result = run(copy.session)
    if (isThenable(result)) return { copy, result }
    return save(stored, copy)
  })
  if (!begun) return
  await begun.result
  await stored.exclusive(() => save(stored, begun.copy))
}

async function save(stored: EventSession, copy: WorkingCopy): Promise<undefined> {
  if (copy.isChanged) await stored.write(copy)
}

/** A copy whose session can also be saved, reloaded and destroyed by its handler. */
async function copyOf(stored: EventSession): Promise<WorkingCopy> {
  const keeper = {
    save: (): Promise<void> => stored.exclusive(() => save(stored, copy)),
    reload: async () => void copy.rebase(stored.create(await stored.read())),
    destroy: () => stored.destroy(),
    unheard: (error: unknown) => stored.unheard(error),
  }
  const copy: WorkingCopy = new WorkingCopy(stored.create(await stored.read(), keeper))
  return copy
}
