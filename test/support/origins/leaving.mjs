// A service that leaves as it should: it stops listening, finishes what it has, and ends. Answers with its name.
import { createServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocketServer } from 'ws'

const name = process.env.NAME
const server = createServer(async (request, response) => {
  let sizeBytes = 0
  for await (const chunk of request) sizeBytes += chunk.length
  await delay(Number(request.headers['x-takes'] ?? 0))
  response.setHeader('x-name', name).end(String(sizeBytes))
})
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (data) => socket.send(`${name} ${data}`))
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}\n`))
process.on('SIGTERM', () => server.close(() => process.exit(0)))
