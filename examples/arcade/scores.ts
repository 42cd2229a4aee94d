import type { DatabaseSync } from 'node:sqlite'
import { numberOf, readJson, Refusal, signedIn, type Answer, type Visit } from './http.ts'

const dayMs = 86_400_000
/** Nobody gets more in thirty seconds. */
const mostPoints = 2000

/** The leaderboard. */
export function createScores(database: DatabaseSync) {
  const best = database.prepare(
    `SELECT accounts.handle, max(points) AS points, count(*) AS games, max(played_at) AS playedAt
     FROM scores JOIN accounts ON accounts.id = scores.account_id
     WHERE played_at > ? GROUP BY account_id ORDER BY points DESC, playedAt LIMIT ?`,
  )
  const insert = database.prepare('INSERT INTO scores (account_id, points, played_at) VALUES (?, ?, ?)')
  const better = database.prepare(
    'SELECT count(DISTINCT account_id) AS count FROM scores WHERE points > ? AND played_at > ?',
  )

  return {
    /** GET /scores?days=7&limit=20 */
    list: ({ url }: Visit): Answer => {
      const days = numberOf(url, 'days', { standard: 7, most: 365 })
      const limit = numberOf(url, 'limit', { standard: 20, most: 100 })
      return { status: 200, body: { days, scores: best.all(Date.now() - days * dayMs, limit) } }
    },

    /** POST /scores { points } */
    add: async (visit: Visit): Promise<Answer> => {
      const account = signedIn(visit)
      const { points } = await readJson(visit.request)
      if (typeof points !== 'number' || !Number.isInteger(points) || points < 0 || points > mostPoints)
        throw new Refusal(400, `points: a whole number from 0 to ${mostPoints}, please`)
      insert.run(account.id, points, Date.now())
      const rank = Number(better.get(points, Date.now() - 7 * dayMs)?.['count']) + 1
      return { status: 201, body: { points, rank } }
    },
  }
}
