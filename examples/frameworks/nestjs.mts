// In a Nest project with @nestjs/websockets and @nestjs/platform-socket.io: npm install handshake-session express-session, make
// this src/main.ts, and npm start. SessionAdapter is all that gateways need to have the session of the controllers.
import 'reflect-metadata'
import { Controller, Get, Module, Req, Session } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { IoAdapter } from '@nestjs/platform-socket.io'
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import type { Request } from 'express'
import session, { type SessionData } from 'express-session'
import { handshakeSession } from 'handshake-session'
import type { Socket } from 'socket.io'

declare module 'express-session' {
  interface SessionData {
    user: string
    visits: number
  }
}

const sessionMiddleware = session({ secret: 'keyboard cat', resave: false, saveUninitialized: false })
const sessions = handshakeSession(sessionMiddleware)

class SessionAdapter extends IoAdapter {
  override createIOServer(...args: Parameters<IoAdapter['createIOServer']>) {
    const io = super.createIOServer(...args)
    sessions.attach(io)
    return io
  }
}

@WebSocketGateway({ namespace: 'visits' })
class VisitsGateway {
  @SubscribeMessage('who')
  who({ handshake: { session } }: Socket) {
    return `${session.user}, ${session.visits} visits`
  }

  @SubscribeMessage('visit')
  visit(socket: Socket) {
    return sessions.update(socket, (s) => (s.visits = (s.visits ?? 0) + 1))
  }
}

@Controller()
class VisitsController {
  @Get('login')
  login(@Req() { session }: Request) {
    return Object.assign(session, { user: 'ann', visits: 0 })
  }

  @Get('visit')
  visit(@Session() session: SessionData) {
    return { visits: ++session.visits }
  }

  @Get('logout')
  logout(@Req() { session }: Request) {
    return new Promise((done) => session.destroy(() => done({})))
  }
}

@Module({ controllers: [VisitsController], providers: [VisitsGateway] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error'] })
app.use(sessionMiddleware)
app.useWebSocketAdapter(new SessionAdapter(app))
await app.listen(process.env['PORT'] ?? 3000, 'localhost')
console.log(await app.getUrl())
