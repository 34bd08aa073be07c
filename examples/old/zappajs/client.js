// What a page of a zappajs app includes: the part of zappajs-client 2.6 that binds the socket to the Express session, in
// the same order and with the same messages. Needs a socket.io-client of any version before it, as `io`.
(function (global) {
  'use strict'

  global.Zappa = function (options, f) {
    if (typeof options === 'function') {
      f = options
      options = {}
    }
    var socket = global.io(options.io)
    var listeners = []
    var context = {
      io: socket,
      on: function (event, action) {
        socket.on(event, function (data, ack) {
          action.call(context, data, ack)
        })
      },
      emit: function (event, data, ack) {
        socket.emit(event, data, function (answer) {
          if (ack) ack.call(context, answer)
        })
      },
      ready: function (listener) {
        listeners.push(listener)
      },
      share: share
    }

    function share(next) {
      var settings = context.settings || {}
      var prefix = settings.zappa_prefix || '/zappa'
      var channel = settings.zappa_channel || '__local'
      get((options.zappa_server || '') + prefix + '/socket/' + channel + '/' + socket.id, function (body) {
        if (body.key != null) socket.emit('__zappa_key', { key: body.key }, next)
        else next({ key: null })
      })
    }

    // On each connect, and so after every reconnect as well.
    socket.on('connect', function () {
      socket.emit('__zappa_settings', null, function (settings) {
        context.settings = settings
        share(function (answer) {
          context.key = answer.key
          whenLoaded(function () {
            listeners.forEach(function (listener) {
              listener.call(context)
            })
          })
        })
      })
    })

    if (f) f.call(context, context)
    return context
  }

  function get(uri, next) {
    var request = new XMLHttpRequest()
    request.open('GET', uri)
    request.setRequestHeader('Accept', 'application/json')
    request.onload = function () {
      next(request.status === 200 ? JSON.parse(request.responseText) : { key: null })
    }
    request.onerror = function () {
      next({ key: null })
    }
    request.send()
  }

  function whenLoaded(next) {
    if (document.readyState !== 'loading') next()
    else document.addEventListener('DOMContentLoaded', next)
  }
})(this)
