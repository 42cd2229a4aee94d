import type { Client } from '../../../client/index.ts'
import { systemClock } from '../../../kernel/std/index.ts'

const pollMs = 700
const pastLines = 200

/** A replica whose log is followed. */
interface Followed {
  readonly service: string
  readonly id: string
}

/** Says a line of a replica's log. */
export type SayLine = (service: string, replica: string, line: string) => void

const slotOf = (id: string): number => Number(id.split('/')[1])

/** What is new among the last lines of a log, of which `last` was said before. Pure. */
export function newLines(lines: readonly string[], last: string | null): readonly string[] {
  const at = last === null ? -1 : lines.lastIndexOf(last)
  return lines.slice(at + 1)
}

async function readPast(
  client: Client,
  { service, id }: Followed,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const lines: string[] = []
  const input = { service, replica: slotOf(id), lines: pastLines }
  for await (const { line } of client.stream('environment.logs', input, signal)) lines.push(line)
  return lines
}

/** Where one log is: what was said of it last, null: nothing yet. */
interface Reading {
  last: string | null
}

/** Says what is new of a log, and goes on until the stream ends: with control, or with the signal. */
async function readOn(
  client: Client,
  replica: Followed,
  { say, signal, reading }: FollowGround & { readonly reading: Reading },
): Promise<void> {
  const { service, id } = replica
  const tell = (line: string): void => {
    reading.last = line
    say(service, id, line)
  }
  for (const line of newLines(await readPast(client, replica, signal), reading.last)) tell(line)
  const input = { service, replica: slotOf(id), lines: 1, follow: true }
  let isFirst = reading.last !== null
  for await (const { line } of client.stream('environment.logs', input, signal)) {
    if (!isFirst || line !== reading.last) tell(line)
    isFirst = false
  }
}

/** Follows one log through restarts of control, until the signal aborts. */
async function followOne(client: Client, replica: Followed, ground: FollowGround): Promise<void> {
  const reading: Reading = { last: null }
  while (!ground.signal.aborted) {
    // It ends when control is restarted, or the service is gone; the next round tells.
    await readOn(client, replica, { ...ground, reading }).catch(() => undefined)
    await systemClock.sleep(pollMs, ground.signal).catch(() => undefined)
  }
}

interface FollowGround {
  readonly say: SayLine
  readonly signal: AbortSignal
}

/** Follows the logs of all replicas that there are, also of those that come, until the signal aborts. */
export async function followLogs(client: Client, say: SayLine, signal: AbortSignal): Promise<void> {
  const following = new Map<string, AbortController>()
  const running: Promise<void>[] = []
  while (!signal.aborted) {
    const status = await client.call('environment.status', {}, signal).catch(() => null)
    const replicas = (status?.services ?? [])
      .filter(({ command }) => command !== null)
      .flatMap(({ name, replicas: each }) => each.map(({ id }) => ({ service: name, id })))
    for (const replica of replicas) {
      if (following.has(replica.id)) continue
      const ending = new AbortController()
      following.set(replica.id, ending)
      running.push(followOne(client, replica, { say, signal: AbortSignal.any([signal, ending.signal]) }))
    }
    for (const [id, ending] of following) {
      if (status === null || replicas.some((replica) => replica.id === id)) continue
      ending.abort()
      following.delete(id)
    }
    await systemClock.sleep(pollMs, signal).catch(() => undefined)
  }
  await Promise.all(running)
}
