// The page of the demo: shows what each side of the session says, and every change with where it came from.
// Text of users goes to the page as textContent, never as HTML.

const $ = (selector) => document.querySelector(selector)

/** How many lines of the timeline are kept: about a screen. */
const longest = 15
const suggestions = ['apple', 'pear', 'plum', 'cherry', 'quince', 'fig', 'lemon', 'medlar']
const refusals = {
  ERR_SESSION_COOKIE_MISSING: 'Log in to begin one. Until then a handshake is refused:',
  ERR_SESSION_NOT_FOUND: 'The cookie is of a session that has ended. Refused:',
  ERR_SESSION_SIGNATURE: 'The cookie is not of this run of the server. Refused:',
}
const tab = await claimTabNumber()
const otherTabs = new BroadcastChannel('handshake-session-demo')
const socket = io({
  autoConnect: false,
  transports: ['websocket'],
  reconnectionDelay: 200,
  reconnectionDelayMax: 2_000,
})

/** Who ended the session, once that was told. */
let ending = ''
let looks = 0
let lastLook

$('#tab').textContent = `Tab ${tab}`
for (const input of document.querySelectorAll('input')) input.addEventListener('focus', () => input.select())
for (const input of document.querySelectorAll('.side input')) suggest(input)

// --- The socket: what the server tells -----------------------------------------------------------------------------

socket.on('connect', async () => {
  ending = ''
  note('socket', 'socket', who(tab), 'connected', { detail: 'the session was on its handshake' })
  const session = await look()
  if (session) show('connected', `Connected as ${session.user}`, 'The session was there before “connection” fired.')
})

socket.on('change', ({ via, tab: from, did, text }) => {
  note(via, via === 'http' ? 'HTTP' : 'socket', who(from), did, { text })
  if (did === 'logged out') ending = `${who(from)} logged out`
  else look()
})

socket.on('end', (reason) => {
  note('end', 'end', 'Session', reason, { detail: 'its sockets are closed' })
  show('ended', 'The session has ended', `${ending || `It was ${reason}`}. This socket was closed at once.`)
  look()
})

socket.on('disconnect', () => {
  if (state() === 'connected') show('connecting', 'Connecting again…', 'The connection was lost.')
})

// After a refusal Socket.IO does not try again by itself: `login` does.
socket.on('connect_error', ({ data, message }) => {
  if (!data?.code) return show('offline', 'The server does not answer', 'Trying again…')
  note('refused', 'refused', 'Handshake', 'refused', { detail: message, code: data.code })
  show(...refusal(data.code, message), data.code)
  look()
})

function refusal(code, message) {
  if (state() === 'ended') return ['ended', 'The session has ended', `${ending || 'It is gone'}. Refused since:`]
  const why = refusals[code]
  return why ? ['none', 'No session, so no socket', why] : ['none', 'No socket', `${message}:`]
}

// --- The forms -----------------------------------------------------------------------------------------------------

onSubmit('#login', async ({ user }) => {
  await post('/login', { user })
  otherTabs.postMessage('logged in')
  reconnect()
  await look()
  $('#http-text').focus()
})

onSubmit('#logout', () => post('/logout', { tab }))

onSubmit('#http form', async ({ text }) => {
  await post('/items', { text, tab })
  look()
  suggest($('#http-text'))
})

onSubmit('#socket form', async ({ text }) => {
  const { error } = await socket.timeout(5_000).emitWithAck('add', { text, tab })
  if (error) throw new Error(error)
  suggest($('#socket-text'))
})

otherTabs.onmessage = () => {
  if (!socket.connected) reconnect()
}

/** A fresh connection: its handshake carries the cookie as it is now. */
function reconnect() {
  socket.disconnect().connect()
}

function onSubmit(selector, send) {
  const form = $(selector)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const problem = form.querySelector('.problem')
    problem.textContent = ''
    try {
      await send(Object.fromEntries(new FormData(form)))
    } catch (error) {
      problem.textContent = error.message
    }
  })
}

async function post(path, body) {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error((await response.json()).error)
}

function suggest(input) {
  input.value = suggestions[0]
  suggestions.push(suggestions.shift())
  if (document.activeElement === input) input.select()
}

// --- What is shown -------------------------------------------------------------------------------------------------

/** Asks both sides for the session, and shows what each says. Of looks at the same time the last one counts, for all. */
function look() {
  lastLook = takeLook(++looks)
  return lastLook
}

async function takeLook(nth) {
  const [overHttp, overSocket] = await Promise.all([askHttp(), askSocket()])
  if (nth !== looks) return lastLook
  showSide('#http', overHttp, 'Empty. Logging in fills it.')
  showSide('#socket', overSocket, 'None. Without a session there is no socket.')
  $('.sides').dataset.same = Boolean(overHttp) && JSON.stringify(overHttp) === JSON.stringify(overSocket)
  return overSocket
}

async function askHttp() {
  try {
    const response = await fetch('/session')
    return response.ok ? await response.json() : null
  } catch {
    return null
  }
}

async function askSocket() {
  try {
    return socket.connected ? await socket.timeout(5_000).emitWithAck('session') : null
  } catch {
    return null
  }
}

function showSide(selector, session, empty) {
  const side = $(selector)
  side.dataset.empty = !session
  side.querySelector('form').hidden = !session
  side.querySelector('.view').replaceChildren(session ? listOf(session) : element('p', 'empty', empty))
}

function listOf({ user, items }) {
  const list = element('dl')
  const chips = items.map(({ text, via }) => element('span', `chip ${via}`, text))
  list.append(
    element('dt', '', 'user'),
    element('dd', '', user),
    element('dt', '', 'last six items'),
    element('dd', 'items'),
  )
  list.lastChild.append(...(chips.length ? chips : [element('span', 'empty', 'none yet')]))
  return list
}

function show(state, title, detail, code = '') {
  const hadFocus = $('#logout').contains(document.activeElement)
  $('.status').dataset.state = state
  $('#title').textContent = title
  $('#detail').textContent = detail
  $('#code').textContent = code
  $('#code').hidden = !code
  $('#login').hidden = state !== 'none' && state !== 'ended'
  $('#logout').hidden = state !== 'connected'
  if (hadFocus) $('#user').focus()
  document.title = `${title} · Tab ${tab}`
}

function state() {
  return $('.status').dataset.state
}

/** One line of the timeline. */
function note(kind, tag, subject, did, { text, detail, code }) {
  const now = new Date()
  const time = element('time', '', now.toLocaleTimeString([], { hourCycle: 'h23' }))
  time.dateTime = now.toISOString()
  const what = element('span', 'what', `${subject} ${did} `)
  if (text) what.append(element('q', '', text))
  if (detail) what.append(element('span', 'detail', detail), ' ')
  if (code) what.append(element('code', '', code))
  const entry = element('li', kind)
  entry.append(time, element('span', 'tag', tag), what)
  $('#timeline').prepend(entry)
  while ($('#timeline').children.length > longest) $('#timeline').lastChild.remove()
}

function who(number) {
  if (number === tab) return 'This tab'
  return number ? `Tab ${number}` : 'Somebody'
}

function element(name, className = '', text = '') {
  const node = document.createElement(name)
  if (className) node.className = className
  node.textContent = text
  return node
}

/** The smallest number that no other open tab has; any large one where the browser has no locks (plain http). */
async function claimTabNumber() {
  for (let number = 1; navigator.locks && number < 100; number++) {
    if (await claim(`handshake-session-demo-tab-${number}`)) return number
  }
  return 100 + Math.floor(Math.random() * 900)
}

function claim(name) {
  return new Promise((resolve) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(Boolean(lock))
      return lock && new Promise(() => {}) // held as long as the page is open
    })
  })
}

look()
socket.connect()
