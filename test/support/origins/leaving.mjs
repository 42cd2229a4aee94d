// A service that leaves as it should: it stops listening, finishes what it has, and ends. Answers with its name.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const name = process.env.NAME
const server = createServer((request, response) => {
  let sizeBytes = 0
  request.on('data', (chunk) => {
    sizeBytes += chunk.length
  })
  request.on('end', () => {
    const answer = () => response.setHeader('x-name', name).end(String(sizeBytes))
    setTimeout(answer, Number(request.headers['x-takes'] ?? 0))
  })
})
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', () => socket.send(name))
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}\n`))
process.on('SIGTERM', () => server.close(() => process.exit(0)))
