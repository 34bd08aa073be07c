/** The tests of the face once more, on Socket.IO 4.6. */
import { expect, test, vi } from 'vitest'
import { face } from './socket.io-4.6.js'

vi.mock('handshake-session/compat/socket.io', async () => ({ default: (await import('./socket.io-4.6.js')).face }))
vi.mock('handshake-session/internals', async () => (await import('./socket.io-4.6.js')).internals)
vi.mock('socket.io', async () => ({ ...(await import('./socket.io-4.6.js')).real }))

test('it is 4.6', () => {
  expect(Reflect.get(face, 'version')).toBe('4.6.0')
})

await import('./old-members.test.js')
await import('./face-members.test.js')
await import('./face.test.js')
await import('./authorization.test.js')
await import('./own-authorizer.test.js')
await import('./socketio-jwt.test.js')
