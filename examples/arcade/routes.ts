import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DatabaseSync } from 'node:sqlite'
import type { Duplex } from 'node:stream'
import { createAccounts } from './accounts.ts'
import { createAssets } from './assets.ts'
import { createChat } from './chat.ts'
import { createExports } from './exports.ts'
import { Refusal, send, type Answer, type Visit } from './http.ts'
import type { GameLimits } from './limits.ts'
import { createTank } from './play.ts'
import { createScores } from './scores.ts'

type Act = (visit: Visit) => Answer | Promise<Answer>

/** The game: which request is answered by what. */
export function createArcade(database: DatabaseSync, options: { exportMs: number; limits: GameLimits }) {
  const { exportMs, limits } = options
  const accounts = createAccounts(database)
  const assets = createAssets()
  const chat = createChat(database, limits)
  const exports = createExports(database, { durationMs: exportMs, limits })
  const scores = createScores(database)
  const tank = createTank(chat.say)

  const healthy = (): Answer => ({ status: 200, body: database.prepare("SELECT 'ok' AS health").get() })
  // A path ends in :name where it has a placeholder.
  const routes = new Map<string, Act>([
    ['GET /', assets.page],
    ['GET /assets/:name', assets.file],
    ['GET /healthz', healthy],
    ['GET /.well-known/jwks.json', accounts.publicKeys],
    ['POST /accounts', accounts.create],
    ['POST /login', accounts.logIn],
    ['POST /logout', accounts.logOut],
    ['GET /me', accounts.me],
    ['GET /scores', scores.list],
    ['POST /scores', scores.add],
    ['GET /chat', chat.list],
    ['POST /chat', chat.add],
    ['GET /chat/live', chat.listen],
    ['POST /exports', exports.start],
    ['GET /exports/:name', exports.show],
  ])

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<Answer> => {
    const url = urlOf(request)
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET')
    const [, parent = '', parameter = ''] = /^(\/\w+)\/([\w.-]+)$/.exec(url.pathname) ?? []
    const act = routes.get(`${method} ${url.pathname}`) ?? routes.get(`${method} ${parent}/:name`)
    if (act === undefined) throw new Refusal(404, 'there is nothing here')
    return act({ request, response, url, parameter, account: accounts.of({ request }) })
  }

  return {
    handle: async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const startedAt = performance.now()
      response.on('close', () => log(request, response, performance.now() - startedAt))
      try {
        send(response, await answer(request, response))
      } catch (error) {
        sendRefusal(response, error)
      }
    },
    upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      if (urlOf(request).pathname === '/play')
        tank.upgrade(request, socket, { account: accounts.of({ request }), head })
      else socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    },
    /** Says goodbye to those who stay forever. */
    stopLive: (): void => {
      chat.stop()
      tank.stop()
    },
    stopWork: exports.stop,
  }
}

function urlOf(request: IncomingMessage): URL {
  // Only the path counts; two slashes at its start would otherwise be read as a host.
  return new URL(`http://arcade${request.url?.startsWith('/') === true ? request.url : '/'}`)
}

function sendRefusal(response: ServerResponse, error: unknown): void {
  if (!(error instanceof Refusal)) console.error(error)
  const { status, message, headers } =
    error instanceof Refusal ? error : new Refusal(500, 'something broke, sorry')
  // What is left of a body that was refused half-way is not worth reading.
  const ends = status === 413 ? { connection: 'close' } : {}
  send(response, { status, body: { error: message }, headers: { ...headers, ...ends } })
}

/** Reading is not worth a line, writing and trouble are. */
function log(request: IncomingMessage, response: ServerResponse, durationMs: number): void {
  if (request.method === 'GET' && response.statusCode < 400) return
  console.log(
    `${request.method} ${request.url?.slice(0, 200)} ${response.statusCode} ${durationMs.toFixed(0)} ms`,
  )
}
