import { createServer } from 'node:http'
import { openDatabase } from './database.ts'
import { openLimits } from './limits.ts'
import { createArcade } from './routes.ts'

const host = process.env['HOST'] ?? '127.0.0.1'
const port = Number(process.env['PORT'] ?? 3000)
const exportMs = Number(process.env['ARCADE_EXPORT_MS'] ?? 6000)

const database = await openDatabase()
const limits = openLimits()
const arcade = createArcade(database, { exportMs, limits })
let stopping = false
const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
  if (stopping) response.setHeader('connection', 'close')
  void arcade.handle(request, response)
})
server.on('upgrade', arcade.upgrade)
server.listen(port, host, () => {
  const address = server.address()
  console.log(`the arcade is open on http://${host}:${typeof address === 'object' ? address?.port : port}`)
})

/** Takes no new players, lets everybody finish, then closes. */
async function stop(signal: string): Promise<void> {
  if (stopping) return
  stopping = true
  console.log(`${signal}: finishing`)
  const closed = new Promise((resolve) => server.close(resolve))
  // A kept-alive connection whose last request is answered would hold the door open.
  setInterval(() => server.closeIdleConnections(), 100).unref()
  arcade.stopLive()
  await Promise.all([closed, arcade.stopWork()])
  await limits.close()
  database.close()
  console.log('closed')
  process.exit(0)
}

process.on('SIGTERM', (signal) => void stop(signal))
process.on('SIGINT', (signal) => void stop(signal))
