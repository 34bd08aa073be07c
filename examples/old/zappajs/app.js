// The chat of the zappajs examples, after its server was moved from zappajs to Express and Socket.IO: its pages still
// have zappajs's client, and its handlers still read the Express session. Run `npm run build` once, then
//
//   PORT=3000 node app.js
//
// and open the address that it prints, in two windows of one browser.
var express = require('express')
var session = require('express-session')
var zappajs = require('handshake-session/compat/zappajs')

var app = express()
var server = require('http').createServer(app)
// allowEIO3: zappajs-client has a socket.io-client of 1.x or 2.x in it.
var io = require('socket.io')(server, { allowEIO3: true })
var store = new session.MemoryStore()

app.use(session({ store: store, secret: 'keyboard cat', resave: false, saveUninitialized: true }))

app.get('/', function (req, res) {
  res.sendFile(__dirname + '/index.html')
})

app.get('/client.js', function (req, res) {
  res.sendFile(__dirname + '/client.js')
})

app.get('/login/:name', function (req, res) {
  req.session.name = req.params.name
  res.json({ name: req.session.name })
})

app.get('/me', function (req, res) {
  res.json({ name: req.session.name, lines: req.session.lines || 0 })
})

app.get('/logout', function (req, res) {
  req.session.destroy(function () {
    res.json({})
  })
})

// What an Express handler of zappajs did with @emit.
app.get('/ping', function (req, res) {
  var mine = (req.session.__socket || {}).__local
  if (mine && mine.id) io.to(mine.id).emit('pinged', { name: req.session.name })
  res.json({})
})

// The one line that is new: before it, zappajs did this by itself.
var zappa = zappajs.bind({ app: app, io: io, store: store })

// was: @on 'who am i': -> @ack ...
zappa.on('who am i', function (data, ack) {
  ack(this.session.name ? { name: this.session.name, lines: this.session.lines || 0 } : null)
})

// was: @on said: -> ...
zappa.on('said', function (data) {
  if (!this.session.name || !data || typeof data.text !== 'string') return
  this.session.lines = (this.session.lines || 0) + 1
  io.emit('said', { name: this.session.name, text: data.text })
})

server.listen(process.env.PORT || 3000, function () {
  console.log('listening on http://localhost:' + server.address().port)
})
