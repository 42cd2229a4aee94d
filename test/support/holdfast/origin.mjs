// A small service as a user would have it: answers, echoes, streams, dies on demand.
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  if (request.url === '/healthz') return response.end('ok')
  if (request.url === '/die') process.exit(3)
  if (request.url === '/pid') return response.end(String(process.pid))
  if (request.url === '/slow') return setTimeout(() => response.end('slow'), 500)
  if (request.method === 'POST') return request.pipe(response)
  if (request.url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    let count = 0
    const timer = setInterval(() => response.write(`data: ${++count}\n\n`), 50)
    return request.on('close', () => clearInterval(timer))
  }
  response.end(`hello from ${process.pid}\n`)
})
server.listen(Number(process.env.PORT), process.env.HOST, () => console.log('listening'))
process.on('SIGTERM', () => {
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
