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
    logIn(context)
    return context.done()
  },
  own: (context) => later(context, () => writeAndEnd(context, 'own')),
  shared: (context) => later(context, () => writeAndEnd(context, 'shared')),
  delete: (context) => later(context, () => writeAndEnd(context, 'delete')),
  append: (context) => later(context, () => writeAndEnd(context, context.world.setting.merge ? 'own' : 'list')),
  read: (context) => later(context, () => context.done()),
  twice(context) {
    write(context, 'own', '-1')
    context.mock.session.save((error) => {
      if (error) context.done('save failed')
      else later(context, () => writeAndEnd(context, 'own', '-2'))
    })
  },
  reload: (context) => later(context, () => reload(context)),
  destroy: (context) =>
    later(context, () => {
      const answered = ending(context)
      context.mock.session.destroy((error) => {
        answered(error)
        context.done(error && 'destroy failed')
      })
    }),
  regenerate: (context) =>
    later(context, () => {
      const answered = ending(context)
      context.mock.session.regenerate((error) => {
        answered(error)
        if (error) return context.done('regenerate failed')
        logIn(context)
        return later(context, () => context.done())
      })
    }),
  ticket(context) {
    const ticket = context.node.sessions[0].ticket(context.mock)
    context.browser.tickets.push({ ticket, id: context.mock.sessionID })
    context.done()
  },
}

/** Into a session that nobody else knows yet. */
function logIn(context) {
  const { mock, browser } = context
  mock.isNewSession = true
  Object.assign(mock.session, { owner: mock.sessionID, user: browser.name })
  write(context, 'own')
}

function reload(context) {
  const { mock, world, node } = context
  node.store.reader = mock
  mock.session.reload((error) => {
    if (error) context.done('reload failed')
    else later(context, () => writeAndEnd(context, 'own'))
  })
  node.store.reader = undefined
  mock.readFrom = Math.min(mock.readFrom, world.ledger.order)
}

function writeAndEnd(context, what, suffix) {
  write(context, what, suffix)
  context.done()
}

function later({ operation }, work) {
  if (operation.think) clock.after(operation.think, work)
  else work()
}

function write({ world, operation, node, mock, work }, what, suffix = '') {
  const written = world.change(operation, node.number, mock.sessionID, mock.session, what, suffix)
  if (!written) return
  written.request = mock
  work.writes.push(written)
}

/** @returns to be called with the store's answer */
function ending({ world, node, mock }) {
  return world.ending(node.number, mock.sessionID)
}
