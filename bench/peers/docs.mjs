// https://socket.io/how-to/use-with-express-session: the session on `socket.request`, reloaded by whoever wants it fresh.
export function install({ io, middleware }) {
  io.engine.use(middleware)
  handle(io)
  return { load: (cookie) => new Promise((resolve) => middleware(...requestWith(cookie), resolve)) }
}

export function handle(io) {
  io.on('connection', (socket) => {
    const req = socket.request
    socket.on('read', (answer) => answer(req.session.user))
    socket.on('fresh', (answer) => {
      req.session.reload((error) => (error ? socket.disconnect() : answer(req.session.user)))
    })
    socket.on('count', (answer) => {
      req.session.reload((error) => (error ? socket.disconnect() : answer(req.session.visits)))
    })
    socket.on('save', (answer) => {
      req.session.reload((error) => {
        if (error) return socket.disconnect()
        req.session.visits++
        req.session.save(() => answer())
      })
    })
  })
}

/** As little of a request and a response as express-session needs. */
function requestWith(cookie) {
  const request = { headers: { cookie }, url: '/', method: 'GET', socket: {} }
  return [request, { writeHead() {}, end() {}, getHeader() {}, setHeader() {} }]
}
