// An app of 2015, as its users wrote it after the README of socket.io-mysql-session 1.0.9.
//
//   MYSQL_URL=mysql://root@127.0.0.1:3306/test node -r handshake-session/register app.js
//
// The table has to be there: the CREATE TABLE is in that README. Then open the address that it prints, in two windows.
var express = require("express"),
    socketSession = require("socket.io-mysql-session"),
    mysql = require("mysql"),
    app = express(),
    http = require("http").Server(app),
    io = require("socket.io")(http),
    db = mysql.createConnection(process.env.MYSQL_URL || "mysql://root@localhost:3306/test"),
    users = {ann: 1, bob: 2};

var logger = {
    log: function(level, message){
        if(level === "error"){
            console.error(message);
        }
    }
};

app.get("/", function(req, res){
    res.sendFile(__dirname + "/index.html");
});

//add the middleware
io.use(new socketSession({
    db: db, //MySQL connection - required
    logger: logger,
    expiration: 3600
}));

io.on("connection", function(socket){

    socket.on("user:login", function(params){
        var userId = users[params.name];
        if(userId){
            socket.session.set("userId", userId);
            socket.session.set("visits", 0);
            socket.emit("user:loggedIn", {userId: userId});
        } else {
            socket.emit("user:error", {message: "unknown user"});
        }
    });

    socket.on("user:securedEvent", function(params){
        var userId = socket.session.get("userId");
        if(userId != ""){
            socket.session.set("visits", socket.session.get("visits") + 1);
            socket.emit("user:secured", {userId: userId, visits: socket.session.get("visits")});
        } else {
            socket.emit("user:error", {message: "not logged in"});
        }
    });

    socket.on("user:logout", function(){
        socket.session.clearSession();
        socket.emit("user:loggedOut");
    });
});

http.listen(process.env.PORT || 3000, function(){
    console.log("listening on http://localhost:" + http.address().port);
});
