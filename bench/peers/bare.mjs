// Socket.IO without a session: what no peer can do for less.
export function install({ io }) {
  io.on('connection', (socket) => {
    let visits = 0
    socket.on('read', (answer) => answer('ann'))
    socket.on('fresh', (answer) => answer('ann'))
    socket.on('count', (answer) => answer(visits))
    socket.on('save', (answer) => {
      visits++
      answer(visits)
    })
  })
}
