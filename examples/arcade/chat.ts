import type { ServerResponse } from 'node:http'
import type { DatabaseSync } from 'node:sqlite'
import { inTransaction } from './database.ts'
import {
  numberOf,
  readJson,
  Refusal,
  signedIn,
  textOf,
  type Account,
  type Answer,
  type Visit,
} from './http.ts'
import { orRefuse, type GameLimits } from './limits.ts'

interface Message {
  readonly id: number
  readonly handle: string
  readonly text: string
  readonly saidAt: number
}

const select = `SELECT messages.id, handle, text, said_at AS saidAt
  FROM messages JOIN accounts ON accounts.id = messages.account_id`
const mostListeners = 500
const mostMentions = 5

/** The chat room. Whoever is mentioned with @name gets a mail. */
export function createChat(database: DatabaseSync, limits: GameLimits) {
  const insert = database.prepare(
    'INSERT INTO messages (account_id, text, said_at) VALUES (?, ?, ?) RETURNING id',
  )
  const byHandle = database.prepare('SELECT handle FROM accounts WHERE handle = ?')
  const queueMail = database.prepare(
    'INSERT INTO outbox (sender, recipient, subject, body, queued_at) VALUES (?, ?, ?, ?, ?)',
  )
  const latest = database.prepare(`${select} WHERE messages.id < ? ORDER BY messages.id DESC LIMIT ?`)
  const live = createLive(database)

  const write = (from: Account, text: string): number =>
    inTransaction(database, () => {
      const id = Number(insert.get(from.id, text, Date.now())?.['id'])
      const names = new Set([...text.matchAll(/@(\w{3,20})/g)].map((match) => (match[1] ?? '').toLowerCase()))
      for (const name of [...names].slice(0, mostMentions)) {
        const handle = byHandle.get(name)?.['handle']
        if (typeof handle !== 'string') continue
        const address = `${handle.toLowerCase()}@players.example`
        const [subject, body] = [`${from.handle} mentioned you`, `${from.handle}: ${text}`]
        queueMail.run(from.handle, address, subject, body, Date.now())
      }
      return id
    })

  /** Says something for a player, or throws a refusal. */
  const say = async (from: Account, text: string): Promise<number> => {
    orRefuse(await limits.take('chat.message', { user: from.handle }))
    return write(from, text)
  }

  return {
    say,

    /** GET /chat?before=123&limit=50 */
    list: ({ url }: Visit): Answer => {
      const before = numberOf(url, 'before', {
        standard: Number.MAX_SAFE_INTEGER,
        most: Number.MAX_SAFE_INTEGER,
      })
      const messages = latest.all(before, numberOf(url, 'limit', { standard: 50, most: 200 }))
      return { status: 200, body: { messages: messages.toReversed() } }
    },

    /** POST /chat { text } */
    add: async (visit: Visit): Promise<Answer> => {
      const account = signedIn(visit)
      const text = textOf(await readJson(visit.request), 'text', 280)
      return { status: 201, body: { id: await say(account, text) } }
    },

    /** GET /chat/live as server-sent events */
    listen: live.listen,
    stop: live.stop,
  }
}

/** Tells listeners what is new. It asks the database, since other copies of this service write there too. */
function createLive(database: DatabaseSync) {
  const since = database.prepare(`${select} WHERE messages.id > ? ORDER BY messages.id LIMIT 100`)
  const newest = database.prepare('SELECT coalesce(max(id), 0) AS id FROM messages')
  const listeners = new Set<ServerResponse>()
  let lastId = 0
  let tick = 0

  const event = ({ id, ...message }: Message): string => `id: ${id}\ndata: ${JSON.stringify(message)}\n\n`
  const tell = (): void => {
    if (listeners.size === 0) return
    const messages = since.all(lastId) as unknown as Message[]
    lastId = messages.at(-1)?.id ?? lastId
    const heartbeat = ++tick % 30 === 0 ? ': still here\n\n' : ''
    const text = messages.map(event).join('') + heartbeat
    for (const listener of listeners) {
      // One that does not read is sent away rather than buffered for.
      if (listener.writableLength > 64 * 1024) listener.destroy()
      else if (text !== '') listener.write(text)
    }
  }
  const timer = setInterval(tell, 500)

  return {
    listen: ({ request, response }: Visit): Answer => {
      if (listeners.size >= mostListeners) throw new Refusal(503, 'the room is full, try again later')
      if (listeners.size === 0) lastId = Number(newest.get()?.['id'])
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      const missedFrom = Number(request.headers['last-event-id'] ?? lastId)
      const missed = Number.isInteger(missedFrom) ? (since.all(missedFrom) as unknown as Message[]) : []
      response.write(
        `retry: 2000\n\n${missed
          .filter(({ id }) => id <= lastId)
          .map(event)
          .join('')}`,
      )
      listeners.add(response)
      response.on('close', () => listeners.delete(response))
      return null
    },
    stop: (): void => {
      clearInterval(timer)
      for (const listener of listeners) listener.end()
    },
  }
}
