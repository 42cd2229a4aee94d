import { existsSync, mkdirSync } from 'node:fs'
import { readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { HoldfastError, systemClock } from '../../kernel/std/index.ts'
import { wholeEnvironment } from '../../providers/docker-swarm/index.ts'
import { birthOf, endEverything, lockStart } from '../supervisor/index.ts'
import { sandboxRecord, type SandboxRecord } from './config.ts'

/** Where a second environment lies: `<data>/sandboxes/<into>`, with everything that it consists of. */
export interface Place {
  readonly directory: string
  /** The second environment's data directory. */
  readonly data: string
  /** Copies of releases, a directory for each service. */
  readonly releases: string
  readonly standIns: string
  readonly requestFile: string
  readonly recordFile: string
  readonly logFile: string
}

/** The place of a second environment; both absolute. */
export function placeOf(dataDirectory: string, into: string): Place {
  const directory = join(dataDirectory, 'sandboxes', into)
  return {
    directory,
    data: join(directory, 'data'),
    releases: join(directory, 'releases'),
    standIns: join(directory, 'stand-ins'),
    requestFile: join(directory, 'request.json'),
    recordFile: join(directory, 'sandbox.json'),
    logFile: join(directory, 'builder.log'),
  }
}

/** What is known of a second environment; null: nothing. */
export async function readRecord({ recordFile }: Place): Promise<SandboxRecord | null> {
  try {
    return sandboxRecord.parse(JSON.parse(await readFile(recordFile, 'utf8')))
  } catch {
    return null
  }
}

/** Writes down what whoever comes later must know, whole or not at all. */
export async function writeRecord({ recordFile }: Place, record: SandboxRecord): Promise<void> {
  await writeFile(`${recordFile}.new`, JSON.stringify(record), { mode: 0o600 })
  await rename(`${recordFile}.new`, recordFile)
}

/** Whether the very process that a record names still runs. */
export function isBuilderAlive(record: SandboxRecord | null): boolean {
  const builder = record?.builder ?? null
  return builder !== null && birthOf(builder.pid) === builder.birth
}

const pollMs = 25
/** A builder that may end by itself has the time that its services have, and some for control and edge. */
const gracefulMs = 10_000
const killedMs = 5000

async function untilGone(record: SandboxRecord, patienceMs: number): Promise<boolean> {
  const deadline = systemClock.monotonicMs() + patienceMs
  while (isBuilderAlive(record)) {
    if (systemClock.monotonicMs() > deadline) return false
    await systemClock.sleep(pollMs)
  }
  return true
}

function signal({ builder }: SandboxRecord, name: NodeJS.Signals): void {
  try {
    if (builder !== null) process.kill(builder.pid, name)
  } catch {
    // It went by itself.
  }
}

/** Behind walls the kernel ends all that is inside with the first process; without them the builder has to do it. */
async function endBuilder(record: SandboxRecord): Promise<void> {
  if (record.builder?.isolated === false) {
    signal(record, 'SIGTERM')
    if (await untilGone(record, gracefulMs)) return
  }
  signal(record, 'SIGKILL')
  await untilGone(record, killedMs)
}

async function removeEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch(() => undefined) // others lie in it, or it is gone
}

/**
 * Removes a second environment, however far it has come and whoever has died: processes, groups, sockets, containers, files.
 * Errors: those of the swarm that has its containers; what is needed to try again stays.
 */
export async function clearPlace(place: Place): Promise<void> {
  const record = await readRecord(place)
  if (record !== null && isBuilderAlive(record)) await endBuilder(record)
  if (existsSync(place.data)) await endEverything(place.data)
  const swarm = record?.swarm ?? null
  if (swarm !== null) await wholeEnvironment(swarm, basename(place.directory), systemClock).remove()
  await rm(place.directory, { recursive: true, force: true })
  await removeEmpty(dirname(place.directory))
  await removeEmpty(dirname(dirname(place.directory)))
}

/** A place that is ours alone until it is released, or until we die. */
export interface Claim {
  readonly place: Place
  release(): void
}

/** Takes a place; null: somebody else works in it at this moment. */
export function takePlace(dataDirectory: string, into: string): Claim | null {
  const place = placeOf(dataDirectory, into)
  // Services of users of their own pass through it; what is nobody's business in it is closed itself.
  mkdirSync(place.directory, { recursive: true, mode: 0o755 })
  try {
    const lock = lockStart(place.directory)
    return { place, release: () => lock.release() }
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'supervisor.already-running') return null
    throw error
  }
}

/** Names of the second environments that left anything. */
export async function listPlaces(dataDirectory: string): Promise<readonly string[]> {
  return readdir(join(dataDirectory, 'sandboxes')).catch(() => [])
}

/** Whether it is there by right: kept, and alive. */
export function isKept(record: SandboxRecord | null): boolean {
  return record !== null && record.keptUntil !== null && isBuilderAlive(record)
}

/** Removes what nobody wants any more: whose owner died, or whose time is over. Answers with their names. */
export async function clearOrphans(dataDirectory: string): Promise<readonly string[]> {
  const cleared: string[] = []
  for (const into of await listPlaces(dataDirectory)) {
    const isWanted = isKept(await readRecord(placeOf(dataDirectory, into)))
    if (!isWanted && (await dropRebuild(dataDirectory, into)) !== null) cleared.push(into)
  }
  return cleared
}

/**
 * Removes a second environment that nobody is building at this moment. Answers whether it was kept, or null when
 * somebody is building it.
 */
export async function dropRebuild(
  dataDirectory: string,
  into: string,
): Promise<{ readonly wasKept: boolean } | null> {
  const claim = takePlace(dataDirectory, into)
  if (claim === null) return null
  try {
    const wasKept = isKept(await readRecord(claim.place))
    await clearPlace(claim.place)
    return { wasKept }
  } finally {
    claim.release()
  }
}

/** Removes every second environment of a data directory whose first one was stopped. */
export async function dropRebuilds(dataDirectory: string): Promise<void> {
  for (const into of await listPlaces(dataDirectory)) await dropRebuild(dataDirectory, into)
}
