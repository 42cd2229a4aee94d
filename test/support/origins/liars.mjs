// A little service for tests of "check --live": its first argument names how it misbehaves; "good" does not.
import { appendFileSync, openSync } from 'node:fs'
import { createServer } from 'node:http'
import { spawn } from 'node:child_process'

const lie = process.argv[2] ?? 'good'
const is = (name) => lie === name
const port = is('ignores-port') ? Number(process.argv[3]) : Number(process.env.PORT)
const host = is('exposed') ? '0.0.0.0' : process.env.HOST

if (is('exits')) {
  console.error('no configuration found')
  process.exit(3)
}
if (is('keeps-data')) openSync('data.db', 'a')
if (is('family')) spawn('sleep', ['60'], { stdio: 'ignore' })

let asked = 0
function statusOf(url) {
  if (is('yes-to-all')) return 200
  if (is('ill')) return 503
  if (is('wavers') && url === '/healthz') return ++asked === 1 ? 200 : 503
  return ['/', '/healthz', '/slow'].includes(url) ? 200 : 404
}

const server = createServer((request, response) => {
  if (is('logs-to-file')) appendFileSync('service.log', `${request.url}\n`)
  const answer = () => response.writeHead(statusOf(request.url)).end('.')
  if (request.url === '/slow') setTimeout(answer, 1500)
  else answer()
})
server.listen(port, host, () => {
  if (!is('silent')) console.log(`listening on ${port}`)
})

const ends = {
  'ignores-sigterm': () => undefined,
  drops: () => process.exit(0),
  'goes-on': () => setTimeout(() => process.exit(0), 1500),
  complains: () => server.close(() => process.exit(4)),
}
process.on('SIGTERM', () => {
  if (ends[lie] !== undefined) return ends[lie]()
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
