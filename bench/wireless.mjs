// Connections without a network, for more sockets than a process may have file descriptors: what Socket.IO sees is what
// Engine.IO would give it (its `Socket`), and what it sends goes nowhere.
import { EventEmitter } from 'node:events'

class WirelessConnection extends EventEmitter {
  readyState = 'open'
  protocol = 4
  transport = { name: 'websocket', writable: true }
  remoteAddress = '127.0.0.1'

  constructor(id, cookie) {
    super()
    this.id = id
    const headers = { host: '127.0.0.1', cookie }
    this.request = { headers, url: '/socket.io/?EIO=4', _query: { EIO: '4' }, connection: {}, socket: {} }
  }

  write() {
    this.answered?.()
  }

  close() {
    this.readyState = 'closed'
    this.emit('close', 'transport close')
  }
}

/** Opens a connection for each cookie, so many together, each to the main namespace. */
export async function openWireless(io, cookies, together = 20) {
  const all = []
  const open = (cookie) =>
    new Promise((resolve) => {
      const connection = new WirelessConnection(`wireless-${all.length}`, cookie)
      connection.answered = resolve
      all.push(connection)
      io.onconnection(connection)
      connection.emit('data', '0')
    })
  for (let at = 0; at < cookies.length; at += together) {
    await Promise.all(cookies.slice(at, at + together).map(open))
  }
  return all
}
