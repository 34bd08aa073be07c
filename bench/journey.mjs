// A visitor's journey: what a session on the socket costs an app whose sessions are in Redis, and whether it is right.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { io } from 'socket.io-client'

const visitors = 150
const together = 10
/** Milliseconds after which a socket that a logout has not closed is one that it does not close. */
const patience = 1_000

/** So many visitors, ten at a time. @returns what it cost each, and how many counts were right, and sockets closed */
export async function journey(peer) {
  const before = await peer.ask('usage')
  const outcomes = []
  let waiting = visitors
  const walk = async () => {
    while (waiting-- > 0) outcomes.push(await visit(peer.port))
  }
  await Promise.all(Array.from({ length: together }, walk))
  const after = await peer.ask('usage')
  const each = (key) => (after[key] - before[key]) / visitors
  const share = (key) => (sum(outcomes, key) / 2 / visitors) * 100
  return { trips: each('trips'), cpu: each('cpu'), right: share('right'), closed: share('closed') }
}

async function visit(port) {
  const page = await Page.open(`http://127.0.0.1:${port}`)
  const first = await page.connect()
  for (let event = 0; event < 6; event++) await first.emitWithAck('read')
  await Promise.all([1, 2, 3].map(() => first.emitWithAck('save')))
  await page.get('/add')
  let right = Number((await first.emitWithAck('count')) === 4)
  first.disconnect()
  await page.get('/page')
  const tabs = await Promise.all([page.connect(), page.connect()])
  await Promise.all(tabs.map((tab) => tab.emitWithAck('save')))
  right += Number((await tabs[0].emitWithAck('count')) === 6)
  const closing = tabs.map((tab) => once(tab, 'disconnect').then(() => 1))
  await page.get('/logout')
  const closed = await Promise.all(closing.map((gone) => Promise.race([gone, sleep(patience, 0)])))
  for (const tab of tabs) tab.disconnect()
  return { right, closed: closed[0] + closed[1] }
}

/** What a browser does for one visitor. */
class Page {
  static async open(base) {
    const page = new Page(base)
    await page.get('/login')
    await page.get('/page')
    return page
  }

  #base
  #headers = {}

  constructor(base) {
    this.#base = base
  }

  async get(path) {
    const response = await fetch(this.#base + path, { headers: this.#headers })
    await response.text()
    const [cookie] = response.headers.getSetCookie()
    if (cookie) this.#headers = { cookie: cookie.slice(0, cookie.indexOf(';')) }
  }

  /** With the transports that clients have by default. */
  async connect() {
    const client = io(this.#base, { forceNew: true, reconnection: false, extraHeaders: this.#headers })
    await once(client, 'connect')
    return client
  }
}

function sum(outcomes, key) {
  return outcomes.reduce((total, outcome) => total + outcome[key], 0)
}
