// biome-ignore-all lint: ES5, since pages of that time are read by browsers of any
/**
 * What pages of socket.io-sessions include, after the client of Socket.IO (2 to 4): `new io.SessionSocket(…)` of its
 * versions 0.4 and 0.5, and `io.connectWithSession(…)` of 0.6. Served as `/socket.io/socket.io-sessions.js`, with the
 * line `var CONNECT_SID = "…";` before it; as a plain file it has `io.SessionSocket(sid, host, options)`.
 */
;(function () {
  'use strict'

  /** How long the token in this script is surely good, in ms. */
  var lifetime = 50000
  var served = typeof CONNECT_SID === 'string'
  var token = served ? CONNECT_SID : ''
  var loadedAt = Date.now()
  var script = document.currentScript
  var url = script && script.src ? script.src.split('?')[0] : '/socket.io/socket.io-sessions.js'

  /** A token is good for one handshake: the one in this script for the first, for others the server is asked. */
  function takeToken(use) {
    var mine = token
    token = ''
    if (mine && Date.now() - loadedAt < lifetime) use(mine)
    else askForToken(use)
  }

  function askForToken(use) {
    var request = new XMLHttpRequest()
    request.open('GET', url)
    request.onload = function () {
      var line = /^var CONNECT_SID = (".*");/.exec(request.responseText)
      use(line ? JSON.parse(line[1]) : '')
    }
    request.onerror = function () {
      use('')
    }
    request.send()
  }

  /** On every connect; without a session all the same, so that the server says `sinvalid`. */
  function onConnect(socket, handshake) {
    socket.on('connect', function () {
      takeToken(function (sid) {
        if (socket.connected) handshake(sid || 'none')
      })
    })
  }

  /** `host` and `options` of io.Socket in 0.6: by default those of the page. */
  function address(host, options) {
    if (host && host.indexOf('://') !== -1) return host
    var protocol = options.secure === undefined ? location.protocol : options.secure ? 'https:' : 'http:'
    var port = options.port || location.port
    return protocol + '//' + (host || location.hostname) + (port ? ':' + port : '')
  }

  function connectLater(host, options) {
    var path = '/' + (options.resource || 'socket.io')
    return io.connect(address(host, options), { path: path, forceNew: true, autoConnect: false })
  }

  /**
   * 0.4: `(sid, host, options)`. 0.5: `(host, options)`, and for a while `(sid, host, options)` with a sid that nobody read.
   * Returns a socket that waits for `connect()`.
   */
  io.SessionSocket = function (sid, host, options) {
    var hasSid = !served || arguments.length > 2 || typeof host === 'string'
    var socket = hasSid ? connectLater(host, options || {}) : connectLater(sid, host || {})
    var handshake = function (shown) {
      socket.send({ __sid: shown, connect: 1 })
    }
    if (served) onConnect(socket, handshake)
    else socket.on('connect', handshake.bind(null, sid))
    return socket
  }

  /** The arguments of `io.connect`. */
  io.connectWithSession = function () {
    var socket = io.connect.apply(io, arguments)
    onConnect(socket, function (sid) {
      socket.emit('connect_with_session', { __sid: sid })
    })
    return socket
  }
})()
