// A Redis of our own, in memory, for as long as this process runs; or the one that REDIS_URL names.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

export async function startRedis() {
  if (process.env.REDIS_URL) return process.env.REDIS_URL
  for (let attempts = 0; attempts < 5; attempts++) {
    const port = await freePort() // It may be taken by the time that Redis wants it.
    if (await startOn(port)) return `redis://127.0.0.1:${port}`
  }
  throw new Error('redis-server did not start: install it, or set REDIS_URL')
}

/** @returns whether it accepts connections; false if it has ended instead */
async function startOn(port) {
  const args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'].map(String)
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const kill = () => child.kill()
  process.once('exit', kill)
  const isReady = await new Promise((resolve) => {
    let log = ''
    child.stdout.on('data', (text) => {
      log += text
      if (log.includes('Ready to accept connections')) resolve(true)
    })
    child.once('error', () => resolve(false))
    child.once('exit', () => resolve(false))
  })
  if (!isReady) process.off('exit', kill)
  child.stdout.destroy()
  child.unref()
  return isReady
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
