import { existsSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../kernel/capability/index.ts'
import { HoldfastError, plainError, type Clock } from '../../kernel/std/index.ts'
import type { Head, Timeline } from '../../kernel/timeline/index.ts'

type Mark = Pick<Head, 'sequence' | 'hash'>

const markFile = (dataDirectory: string): string => join(dataDirectory, 'timeline.head')

const writeEveryMs = 2000

/** Reads `<sequence>:<hash>`; null when there is no such file or it is torn: then nothing is known. */
export async function readHeadMark(dataDirectory: string): Promise<Mark | null> {
  const text = await readFile(markFile(dataDirectory), 'utf8').catch(() => '')
  const match = /^(\d{1,15}):([0-9a-f]{64})\n?$/.exec(text)
  return match === null ? null : { sequence: Number(match[1]), hash: match[2] ?? '' }
}

function damaged(dataDirectory: string, why: string): HoldfastError {
  return new HoldfastError({
    code: 'timeline.corrupt',
    kind: 'operational',
    message: `the timeline ${join(dataDirectory, 'timeline.db')} is damaged: ${why}`,
    hint: `nothing was changed; restore the file with its -wal, or, to go on without what is missing, remove ${markFile(dataDirectory)}`,
  })
}

/**
 * A timeline that was there may not begin anew as if nothing had happened. To be called before it is opened, for
 * opening creates it. Errors: `timeline.corrupt`.
 */
export async function refuseGone(dataDirectory: string): Promise<void> {
  const mark = await readHeadMark(dataDirectory)
  if (mark === null || existsSync(join(dataDirectory, 'timeline.db'))) return
  throw damaged(dataDirectory, `it is gone, and once had ${mark.sequence} facts`)
}

async function hashAt(timeline: Timeline, sequence: number): Promise<string | null> {
  const [fact] = await timeline.read({ after: sequence - 1, before: sequence + 1, limit: 1 })
  return fact?.hash ?? null
}

/**
 * Compares an open timeline with what was last known of its end: a lost `-wal` file takes the newest facts away and
 * leaves a chain that verifies. Errors: `timeline.corrupt`.
 */
export async function refuseShortened(dataDirectory: string, timeline: Timeline): Promise<void> {
  const mark = await readHeadMark(dataDirectory)
  if (mark === null) return
  const last = (await timeline.head())?.sequence ?? 0
  if (last < mark.sequence) {
    const lost = mark.sequence - last
    throw damaged(dataDirectory, `its newest facts are missing (${lost}, from ${last + 1} on)`)
  }
  const hash = await hashAt(timeline, mark.sequence)
  // Null: retention has removed it.
  if (hash === null || hash === mark.hash) return
  throw damaged(dataDirectory, `fact ${mark.sequence} is not the one that was recorded`)
}

/** Keeps the mark at most 2 s behind the timeline, until the returned function is called, which brings it up to date. */
export function keepHeadMark(
  dataDirectory: string,
  timeline: Timeline,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): () => Promise<void> {
  const path = markFile(dataDirectory)
  let written = ''
  let failing = false
  let working = Promise.resolve()
  const write = async (): Promise<void> => {
    const head = await timeline.head()
    const text = head === null ? '' : `${head.sequence}:${head.hash}\n`
    if (text === written) return
    try {
      await writeFile(`${path}.new`, text, { mode: 0o600 })
      await rename(`${path}.new`, path)
      written = text
      failing = false
    } catch (error) {
      await rm(`${path}.new`, { force: true }).catch(() => undefined)
      if (!failing) log.warn({ error: plainError(error).message }, 'timeline.head could not be written')
      failing = true
    }
  }
  const next = (): Promise<void> => (working = working.then(write, write))
  const stop = clock.every(writeEveryMs, () => void next())
  return async () => {
    stop()
    await next()
  }
}
