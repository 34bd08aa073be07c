// An app of 2014 that knows its clients by a token: socketio-jwt 2, with the token in the query of the handshake.
var express = require('express');
var jwt = require('jsonwebtoken');
var socketioJwt = require('socketio-jwt');

var SECRET = 'keyboard cat';
var app = express();
var server = require('http').createServer(app);
var sio = require('socket.io').listen(server);

app.get('/login/:name', function (req, res) {
  res.json({ token: jwt.sign({ name: req.params.name }, SECRET) });
});

sio.set('authorization', socketioJwt.authorize({
  secret: SECRET,
  handshake: true
}));

sio.sockets.on('connection', function (socket) {
  console.log('Connected: ' + socket.handshake.decoded_token.name + ', ' + socket.client.request.decoded_token.name);
});

server.listen(process.env.PORT || 3000, function () {
  console.log('Listening on port ' + server.address().port);
});
