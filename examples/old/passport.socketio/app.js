// An app of 2013: Express 3, Passport, and passport.socketio by io.set.
var express = require('express')
  , passport = require('passport')
  , LocalStrategy = require('passport-local').Strategy
  , passportSocketIo = require('passport.socketio');

var app = express();
var server = require('http').createServer(app);
var io = require('socket.io').listen(server);
var sessionStore = new express.session.MemoryStore();

passport.use(new LocalStrategy(function (username, password, done) {
  done(null, password === 'secret' && { name: username });
}));
passport.serializeUser(function (user, done) {
  done(null, user.name);
});
passport.deserializeUser(function (name, done) {
  done(null, { name: name });
});

app.configure(function () {
  app.use(express.cookieParser());
  app.use(express.json());
  app.use(express.session({ secret: 'keyboard cat', key: 'express.sid', store: sessionStore }));
  app.use(passport.initialize());
  app.use(passport.session());
});

app.post('/login', passport.authenticate('local'), function (req, res) {
  res.send('Hello ' + req.user.name);
});

io.set('authorization', passportSocketIo.authorize({
  cookieParser: express.cookieParser,
  key: 'express.sid',
  secret: 'keyboard cat',
  store: sessionStore,
  success: function (data, accept) {
    console.log('Let in: ' + data.user.name);
    accept(null, true);
  },
  fail: function (data, message, error, accept) {
    console.log('Refused: ' + message);
    accept(null, false);
  }
}));

io.sockets.on('connection', function (socket) {
  console.log('Connected: ' + socket.handshake.user.name + ', ' + socket.request.user.logged_in);
});

server.listen(process.env.PORT || 3000, function () {
  console.log('Listening on port ' + server.address().port);
});
