// An app of 2015: Express 4, Socket.IO 1.x, and an authorizer of its own, to which `data` is the request of the handshake.
var express = require('express');
var session = require('express-session');

var app = express();
var server = require('http').Server(app);
var io = require('socket.io')(server);
var sessions = session({
  secret: 'keyboard cat',
  store: new session.MemoryStore(),
  resave: false,
  saveUninitialized: false
});

app.use(sessions);

app.get('/', function (req, res) {
  res.send('<script src="/socket.io/socket.io.js"></script><script>io()</script>');
});

app.get('/login/:name', function (req, res) {
  req.session.name = req.params.name;
  res.send('Hello ' + req.session.name);
});

app.get('/logout', function (req, res) {
  req.session.destroy(function () {
    res.send('Bye');
  });
});

io.set('authorization', function (req, next) {
  if (req._query.banned) return next(new Error('banned: ' + req._query.banned));
  sessions(req, req.res || {}, function (err) {
    if (err) return next(err);
    req.user = { name: req.session.name || 'guest', ip: req.connection.remoteAddress };
    next(null, true);
  });
});

io.on('connection', function (socket) {
  var req = socket.request;
  console.log('Connected: ' + req.user.name + ' from ' + req.user.ip + ' by ' + socket.handshake.address);
  socket.on('rename', function (name) {
    req.session.name = name;
    req.session.save(function () {
      socket.emit('renamed', req.session.name);
    });
  });
  socket.on('disconnect', function () {
    console.log('Gone: ' + req.session.name);
  });
});

server.listen(process.env.PORT || 3000, function () {
  console.log('Listening on port ' + server.address().port);
});
