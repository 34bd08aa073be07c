// A chat of 2012: Express 3, Socket.IO 0.9, and an authorizer of its own that finds the session of the page.
var express = require('express')
  , http = require('http')
  , connectUtils = require('connect').utils
  , cookie = require('cookie')
  , Session = express.session.Session;

var SECRET = 'keyboard cat';
var sessionStore = new express.session.MemoryStore();
var app = express();
var server = http.createServer(app);
var io = require('socket.io').listen(server);

app.configure(function () {
  app.use(express.cookieParser());
  app.use(express.session({ secret: SECRET, key: 'express.sid', store: sessionStore }));
});

app.get('/', function (req, res) {
  res.send('<script src="/socket.io/socket.io.js"></script><script>io.connect()</script>');
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

io.configure(function () {
  io.set('log level', 1);
  io.set('authorization', function (data, accept) {
    if (!data.headers.cookie) return accept('No cookie transmitted.', false);
    data.cookie = connectUtils.parseSignedCookies(cookie.parse(decodeURIComponent(data.headers.cookie)), SECRET);
    data.sessionID = data.cookie['express.sid'];
    data.sessionStore = sessionStore;
    sessionStore.get(data.sessionID, function (err, session) {
      if (err || !session) return accept(err ? err.message : 'No session', false);
      data.session = new Session(data, session);
      accept(null, true);
    });
  });
});

io.sockets.on('connection', function (socket) {
  var hs = socket.handshake;
  console.log('Connected: ' + hs.session.name + ' from ' + hs.address.address);
  // Keeps the session alive as long as the page is open.
  var intervalID = setInterval(function () {
    hs.session.reload(function () {
      hs.session.touch().save();
    });
  }, 60 * 1000);
  socket.on('rename', function (name) {
    hs.session.name = name;
    hs.session.save(function () {
      socket.emit('renamed', hs.session.name);
    });
  });
  socket.on('disconnect', function () {
    clearInterval(intervalID);
    console.log('Gone: ' + hs.session.name);
  });
});

server.listen(process.env.PORT || 3000, function () {
  console.log('Listening on port ' + server.address().port);
});
