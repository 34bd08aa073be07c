/**
 * The HTTP side: the real express-session middleware on mock requests and responses, and browsers with a cookie jar.
 */
import { EventEmitter } from 'node:events'
import { clock } from './clock.mjs'

export class Browser {
  /** What the cookie jar has, as a Cookie header. */
  cookie
  /** @type {string[]} */
  tickets = []

  constructor(name) {
    this.name = name
  }

  /** The session id that its cookie names. */
  get id() {
    return this.cookie && decodeURIComponent(this.cookie).match(/s:(.*)\./)?.[1]
  }
}

class MockRequest extends EventEmitter {
  isMock = true
  url = '/'
  originalUrl = '/'
  connection = {}
  /** Whether its session was made by itself. */
  isNewSession = false
  /** The order of the last effect that its copy of the session can hold. */
  readFrom = -1

  constructor(cookie, response) {
    super()
    this.headers = cookie ? { cookie } : {}
    this.res = response
  }
}

class MockResponse extends EventEmitter {
  statusCode = 200
  writableFinished = false
  #headers = {}
  #answered

  constructor(answered) {
    super()
    this.#answered = answered
  }

  setHeader(name, value) {
    this.#headers[name.toLowerCase()] = value
  }

  getHeader(name) {
    return this.#headers[name.toLowerCase()]
  }

  writeHead() {
    this._header = 'sent'
  }

  _implicitHeader() {
    this.writeHead(this.statusCode)
  }

  write() {
    return true
  }

  /** express-session passes by here when the session is saved. */
  end() {
    if (!this._header) this._implicitHeader()
    this.writableFinished = true
    this.#answered(this.#headers['set-cookie'])
    return true
  }
}

/**
 * One request, from a browser to a node and back.
 * @param {(request: object, done: (status?: string) => void) => void} route calls `done` when the response ends
 * @param {(error: unknown, status?: string) => void} answered when the server has answered
 */
export function request(world, node, browser, route, answered) {
  let failure
  let status
  const { cookie } = browser
  const response = new MockResponse((setCookie) => {
    clock.after(world.network(), () => {
      if (setCookie) world.keeps(browser, setCookie)
      response.emit('close')
    })
    setImmediate(() => answered(failure, status)) // express-session tells the failure of a save a moment later.
  })
  const mock = new MockRequest(cookie, response)
  const done = (given) => {
    status = given
    response.end()
  }
  clock.after(world.network(), () => {
    node.store.reader = mock
    mock.readFrom = world.ledger.order
    node.middleware(mock, response, (error) => {
      if (failure || mock.isRouted) failure = failure ?? error
      else if (error) answered(error)
      else {
        mock.isRouted = true
        route(mock, done)
      }
    })
    node.store.reader = undefined
  })
}
