import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { numberOf, Refusal, signedIn, type Answer, type Visit } from './http.ts'
import { orRefuse, type GameLimits } from './limits.ts'

interface Job {
  readonly id: string
  readonly accountId: number
}

const steps = 20
/** Another copy takes over a job that was left behind. */
const abandonedMs = 60_000
const mostKept = 5

/** A place that nobody gives back comes back by itself after so long. */
const longestRunMs = 5 * 60_000

interface ExportsOptions {
  readonly durationMs: number
  readonly limits: GameLimits
}

/** "All my data", a job that takes its time: about `durationMs`. */
export function createExports(database: DatabaseSync, { durationMs, limits }: ExportsOptions) {
  const insert = database.prepare(
    `INSERT INTO exports (id, account_id, state, queued_at) VALUES (?, ?, 'queued', ?)`,
  )
  const prune = database.prepare(
    `DELETE FROM exports WHERE account_id = :account AND state = 'done' AND id NOT IN
     (SELECT id FROM exports WHERE account_id = :account ORDER BY queued_at DESC LIMIT ${mostKept})`,
  )
  const find = database.prepare(
    'SELECT id, state, progress, result FROM exports WHERE id = ? AND account_id = ?',
  )
  const isOpen = database.prepare(`SELECT id FROM exports WHERE id = ? AND state <> 'done'`)
  const runner = createRunner(database, durationMs)

  /** Whichever copy makes it, the one that took it in knows whose place it has. */
  const untilDone = async (id: string): Promise<void> => {
    const until = Date.now() + longestRunMs
    while (Date.now() < until && isOpen.get(id) !== undefined) await sleep(500, undefined, { ref: false })
  }
  const look = (visit: Visit): Record<string, unknown> => {
    const row = find.get(visit.parameter, signedIn(visit).id)
    if (row === undefined) throw new Refusal(404, 'there is no such export')
    const result = row['result'] as string | null
    return { ...row, result: result === null ? null : (JSON.parse(result) as unknown) }
  }

  return {
    /** POST /exports */
    start: async (visit: Visit): Promise<Answer> => {
      const account = signedIn(visit)
      const by = { user: account.handle }
      const place = orRefuse(await limits.reserve('export.run', by, { leaseMs: longestRunMs }))
      prune.run({ account: account.id })
      const id = randomUUID()
      insert.run(id, account.id, Date.now())
      runner.wake()
      void untilDone(id).then(() => place.commit())
      return { status: 202, body: { id, state: 'queued' }, headers: { location: `/exports/${id}` } }
    },

    /** GET /exports/:id?wait=10 waits up to that many seconds for the export to be done. */
    show: async (visit: Visit): Promise<Answer> => {
      const until = Date.now() + numberOf(visit.url, 'wait', { standard: 0, most: 30 }) * 1000
      let found = look(visit)
      while (found['state'] !== 'done' && Date.now() < until) {
        await sleep(200)
        found = look(visit)
      }
      return { status: 200, body: found }
    },

    stop: runner.stop,
  }
}

/** Makes one export at a time; several copies of the service share the queue. */
function createRunner(database: DatabaseSync, durationMs: number) {
  const claim = database.prepare(
    `UPDATE exports SET state = 'running', claimed_at = :now WHERE id = (
       SELECT id FROM exports WHERE state = 'queued' OR (state = 'running' AND claimed_at < :now - ${abandonedMs})
       ORDER BY queued_at LIMIT 1
     ) RETURNING id, account_id AS accountId`,
  )
  const progress = database.prepare('UPDATE exports SET progress = ?, claimed_at = ? WHERE id = ?')
  const finish = database.prepare(`UPDATE exports SET state = 'done', progress = 1, result = ? WHERE id = ?`)
  const scores = database.prepare(
    'SELECT points, played_at AS playedAt FROM scores WHERE account_id = ? ORDER BY id DESC LIMIT 10000',
  )
  const messages = database.prepare(
    'SELECT text, said_at AS saidAt FROM messages WHERE account_id = ? ORDER BY id DESC LIMIT 10000',
  )
  let running: Promise<void> | undefined
  const stopping = new AbortController()

  const make = async (job: Job): Promise<void> => {
    for (let step = 1; step < steps; step++) {
      await sleep(durationMs / steps)
      progress.run(step / steps, Date.now(), job.id)
    }
    const result = { scores: scores.all(job.accountId), messages: messages.all(job.accountId) }
    finish.run(JSON.stringify(result), job.id)
  }
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const job = claim.get({ now: Date.now() }) as unknown as Job | undefined
      if (job === undefined) return
      await make(job)
      console.log(`export ${job.id} done`)
    }
  }
  const wake = (): void => {
    running ??= work()
      .catch((error: unknown) => console.error('an export failed:', error))
      .finally(() => {
        running = undefined
      })
  }
  const timer = setInterval(wake, 2000)

  return {
    wake,
    /** Finishes the export that is being made and begins no other. */
    stop: async (): Promise<void> => {
      clearInterval(timer)
      stopping.abort()
      await running
    },
  }
}
