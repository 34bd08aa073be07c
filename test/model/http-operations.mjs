/**
 * What browsers ask of Express routes. Each route does what an app's would, and nothing for who is not logged in.
 */
import { clock } from './clock.mjs'
import { request } from './http.mjs'

/** @param {object} world @param {object} operation */
export function ask(world, operation) {
  const node = world.nodes[operation.node]
  const browser = world.browsers[operation.browser]
  const work = { writes: [], ending: undefined }
  request(
    world,
    node,
    browser,
    (mock, done) => {
      const session = mock.session
      if (!session.owner && operation.kind !== 'login') return done('not logged in')
      return routes[operation.kind]({ world, operation, node, browser, mock, done, work })
    },
    (error, status) => {
      if (!error && !status) for (const write of work.writes) world.ledger.acknowledge(write)
      world.done(operation, error ?? (status && { message: status }))
    },
  )
}

const routes = {
  login(context) {
    if (context.mock.session.owner) return routes.own(context)
    context.mock.isNewSession = true
    Object.assign(context.mock.session, { owner: context.mock.sessionID, user: context.browser.name })
    write(context, context.mock, 'own')
    return context.done()
  },
  own: (context) => later(context, () => (write(context, context.mock, 'own'), context.done())),
  shared: (context) => later(context, () => (write(context, context.mock, 'shared'), context.done())),
  delete: (context) => later(context, () => (write(context, context.mock, 'delete'), context.done())),
  read: (context) => later(context, () => context.done()),
  twice: (context) => {
    write(context, context.mock, 'own', '-1')
    context.mock.session.save((error) => {
      if (error) return context.done('save failed')
      return later(context, () => (write(context, context.mock, 'own', '-2'), context.done()))
    })
  },
  reload: (context) =>
    later(context, () => {
      const { mock, world, node } = context
      node.store.reader = mock
      mock.session.reload((error) => {
        if (error) return context.done('reload failed')
        return later(context, () => (write(context, mock, 'own'), context.done()))
      })
      node.store.reader = undefined
      mock.readFrom = Math.min(mock.readFrom, world.ledger.order)
    }),
  destroy: (context) =>
    later(context, () => {
      const ending = end(context)
      context.mock.session.destroy((error) => (ending(error), context.done(error && 'destroy failed')))
    }),
  regenerate: (context) =>
    later(context, () => {
      const ending = end(context)
      const { mock } = context
      mock.session.regenerate((error) => {
        ending(error)
        if (error) return context.done('regenerate failed')
        mock.isNewSession = true
        Object.assign(mock.session, { owner: mock.sessionID, user: context.browser.name })
        write(context, mock, 'own')
        return later(context, () => context.done())
      })
    }),
  ticket: (context) => {
    const ticket = context.node.sessions[0].ticket(context.mock)
    context.browser.tickets.push({ ticket, id: context.mock.sessionID, uses: 0 })
    context.done()
  },
}

function later({ operation }, work) {
  if (operation.think) clock.after(operation.think, work)
  else work()
}

function write({ world, operation, node, work }, mock, what, suffix = '') {
  const { session, sessionID } = mock
  const written = world.change(operation, node.number, sessionID, session, what, suffix)
  if (!written) return
  written.request = mock
  work.writes.push(written)
}

/** @returns to be called with the store's answer */
export function end({ world, node, mock }) {
  return world.ending(node.number, mock.sessionID)
}
