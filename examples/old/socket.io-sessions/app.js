// An app of 2011, as its users wrote it after the example of socket.io-sessions 0.6.
//
//   node -r handshake-session/register app.js
//
// Then open the address that it prints.
var express = require('express'),
    session = require('express-session'),
    http    = require('http'),
    io      = require('socket.io'),
    sio     = require('socket.io-sessions');

// Create the session store
var mystore = new session.MemoryStore;

// Create the webserver
var cookieParser = require('cookie-parser')('faceroll here'),
    app = express(),
    server = http.createServer(app);

app.use(session({secret: 'faceroll here', store: mystore, resave: false, saveUninitialized: true}));
app.get('/', function(req, res){
    req.session.visits = req.session.visits + 1 || 1;
    res.sendFile(__dirname + '/ping.html');
});
app.get('/session', function(req, res){
    res.send(req.session);
});
app.get('/logout', function(req, res){
    req.session.destroy(function(){
        res.send('bye');
    });
});

// Socket.IO
var load_session_per_message = process.argv[2] == 'per_message';

var socket = sio.enable({
    socket: io.listen(server),
    store:  mystore,
    parser: cookieParser,
    per_message: load_session_per_message
});

if (load_session_per_message) {

    // Session is saved after each message
    socket.on('sconnection', function(client){
        client.on('smessage', function(message, session){
            session.pings = session.pings + 1 || 1;
            client.send({pings: session.pings, visits: session.visits});
        });
    });

} else {

    // Session is saved on disconnect
    socket.on('sconnection', function(client, session){
        session.conns = session.conns + 1 || 1;
        client.on('message', function(message){
            session.pings = session.pings + 1 || 1;
            client.send({pings: session.pings, visits: session.visits});
        });
        client.on('disconnect', function(){
            console.log('Client disconnected. Saving session.');
        });
    });

}

socket.on('sinvalid', function(client){
    client.send('Session invalid, please refresh.');
});

server.listen(process.env.PORT || 3000, function(){
    console.log('Listening on http://localhost:' + server.address().port);
});
