// A Redis of our own, in memory, for as long as this process runs; or the one that REDIS_URL names.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

export async function startRedis() {
  if (process.env.REDIS_URL) return process.env.REDIS_URL
  const port = await freePort()
  const args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'].map(String)
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  process.once('exit', () => child.kill())
  child.once('error', () => console.error('redis-server is not there: install it, or set REDIS_URL'))
  await once(child.stdout, 'data')
  child.stdout.destroy()
  child.unref()
  return `redis://127.0.0.1:${port}`
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
