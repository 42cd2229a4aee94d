import type { RebuildPhase, RebuildResult } from '../../contracts/environment.ts'
import { HoldfastError, sayDuration, type Clock } from '../../kernel/std/index.ts'
import { lastWordsOf, startBuilder, type Builder } from './builder.ts'
import type { SandboxRecord } from './config.ts'
import { clearPlace, isKept, readRecord, takePlace, writeRecord, type Claim, type Place } from './place.ts'
import {
  prepare,
  readFileOf,
  refuseStrangers,
  refuseWhenFull,
  swarmOf,
  type Ground,
  type Prepared,
  type Wish,
} from './prepare.ts'

/** Who wants a rebuild, and how it is told how that goes. */
export interface Asker {
  /** A job, or a command line: what it left by dying, it may clear away when it comes again. */
  readonly owner: string
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Share done, 0 to 1, and what is being done. */
  readonly progress: (share: number, says: string) => void
}

/** A rebuild that came to nothing: where, why, and what went well before. */
export interface FailedRebuild {
  readonly failed: { readonly phase: string; readonly because: string }
  readonly phases: readonly RebuildPhase[]
}

/** The same as an error, for whoever waits for a result. */
export function failureOf({ failed }: FailedRebuild): HoldfastError {
  return new HoldfastError({
    code: 'environment.rebuild-failed',
    kind: 'operational',
    message: `${failed.phase}: ${failed.because}`,
    hint: 'everything of it was removed again; mend that and try once more',
  })
}

interface Work {
  readonly ground: Ground
  readonly wish: Wish
  readonly asker: Asker
  readonly phases: RebuildPhase[]
  readonly startedMs: number
}

const shares: Readonly<Record<RebuildPhase['name'], number>> = {
  read: 0.05,
  prepare: 0.1,
  start: 0.4,
  jobs: 0.5,
  services: 0.7,
  edge: 0.9,
  remove: 1,
}

const inSeconds = (durationMs: number): number => Math.round(durationMs) / 1000

function reached({ phases, asker }: Work, phase: RebuildPhase): void {
  phases.push(phase)
  asker.progress(shares[phase.name], `${phase.name}: ${phase.seconds} s`)
}

async function timed<T>(work: Work, name: RebuildPhase['name'], act: () => Promise<T>): Promise<T> {
  const { clock } = work.asker
  const startedMs = clock.monotonicMs()
  const result = await act()
  reached(work, { name, seconds: inSeconds(clock.monotonicMs() - startedMs) })
  return result
}

function underWay(into: string, hint: string): HoldfastError {
  return new HoldfastError({
    code: 'environment.rebuild-under-way',
    kind: 'user',
    message: `a second environment "${into}" is there already`,
    path: 'into',
    hint,
  })
}

/** Takes the place and clears away what an owner that died has left there. Errors: `environment.rebuild-under-way`. */
async function claim({ ground, wish }: Work): Promise<Claim> {
  const { into } = wish
  const first = takePlace(ground.dataDirectory, into)
  if (first === null) throw underWay(into, 'wait for it, or choose another name')
  try {
    if (isKept(await readRecord(first.place)))
      throw underWay(into, `remove it with "holdfast environment rebuild-remove ${into}"`)
    await clearPlace(first.place)
  } finally {
    first.release()
  }
  const second = takePlace(ground.dataDirectory, into)
  if (second === null) throw underWay(into, 'wait for it, or choose another name')
  return second
}

function refuseOwnName({ loaded }: Ground, { into }: Wish): void {
  if (loaded.environment.name !== into) return
  throw new HoldfastError({
    code: 'environment.rebuild-refused',
    kind: 'user',
    message: `"${into}" is the name of the environment itself`,
    path: 'into',
    hint: 'give the second one another, as --into drill',
  })
}

type Told = { readonly url: string } | FailedRebuild['failed']

/** Listens until it serves, has failed or has gone. */
async function follow(work: Work, place: Place, { messages, ended }: Builder): Promise<Told> {
  const { clock } = work.asker
  const startedMs = clock.monotonicMs()
  // Of its own start the builder knows nothing.
  const fromOutside = (phase: RebuildPhase): RebuildPhase =>
    phase.name === 'start' ? { ...phase, seconds: inSeconds(clock.monotonicMs() - startedMs) } : phase
  for await (const message of messages) {
    if ('phase' in message) reached(work, fromOutside(message.phase))
    if ('doing' in message) work.asker.progress(shares[work.phases.at(-1)?.name ?? 'read'], message.doing)
    if ('serves' in message) return { url: message.serves }
    if ('failed' in message) return message.failed
  }
  await ended
  const words = await lastWordsOf(place)
  return { phase: 'start', because: words === '' ? 'the builder ended without a word' : words }
}

/** Rejects when the asker has had enough. */
function enough({ asker: { signal } }: Work): Promise<never> {
  return new Promise((_, reject) => {
    const leave = (): void => reject(signal.reason as Error)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
  })
}

interface Standing {
  readonly prepared: Prepared
  readonly builder: Builder
  readonly place: Place
  readonly swarm: SandboxRecord['swarm']
}

/** Without root there is a user namespace as well, in which one stays who one is. */
function entering({ prepared, builder: { record } }: Standing): string | null {
  if (!prepared.isApart || record === null) return null
  const own = process.getuid?.() === 0 ? [] : ['--user', '--preserve-credentials']
  return ['nsenter', '--target', `$(pgrep -P ${record.pid})`, ...own, '--net', '--mount', '--pid'].join(' ')
}

async function conclude(work: Work, standing: Standing, url: string): Promise<RebuildResult> {
  const { wish, asker, phases, startedMs } = work
  const { prepared, builder, place, swarm } = standing
  const until = wish.keepMs === null ? null : asker.clock.now() + wish.keepMs
  if (until === null) {
    await timed(work, 'remove', async () => {
      await builder.ended
      await clearPlace(place)
    })
  } else {
    await writeRecord(place, { owner: asker.owner, builder: builder.record, swarm, keptUntil: until })
    builder.leaveAlone()
  }
  const seconds = inSeconds(asker.clock.monotonicMs() - startedMs)
  return {
    into: wish.into,
    says:
      wish.keepMs === null
        ? `${wish.into} was built, served and has removed itself, all within ${seconds} s`
        : `${wish.into} serves after ${seconds} s and goes on for ${sayDuration(wish.keepMs)}`,
    phases,
    seconds,
    isolated: prepared.isApart,
    kept: until === null ? null : { until, url, enter: entering(standing) },
    notes: [...prepared.notes],
  }
}

async function raise(work: Work, place: Place): Promise<RebuildResult | FailedRebuild> {
  const { ground, wish, asker } = work
  const claimed = { owner: asker.owner, builder: null, swarm: null, keptUntil: null }
  await writeRecord(place, claimed)
  const loaded = await timed(work, 'read', async () => {
    const read = await readFileOf(ground, wish)
    await refuseWhenFull(read, place)
    await refuseStrangers(read, wish.into)
    return read
  })
  const swarm = swarmOf(loaded)
  // From now on there may be containers of that name, and they are ours.
  await writeRecord(place, { ...claimed, swarm })
  const prepared = await timed(work, 'prepare', () => prepare(ground, wish, { loaded, place }))
  asker.signal.throwIfAborted()
  const builder = startBuilder(place, prepared)
  await writeRecord(place, { ...claimed, builder: builder.record, swarm })
  const told = await Promise.race([follow(work, place, builder), enough(work)])
  if ('url' in told) return conclude(work, { prepared, builder, place, swarm }, told.url)
  return { failed: told, phases: work.phases }
}

/**
 * Builds an environment a second time from its file alone: empty, without real secrets, behind walls where this machine
 * permits them; and removes it again, unless it is to be kept. Whatever happens, nothing of it is left: killed, its
 * processes end with us, and what lies about is cleared away by whoever comes next.
 * Errors: `environment.rebuild-refused`, `environment.rebuild-under-way`, `environment.rebuild-no-room`, those of
 * reading a file. What fails once it is being built is no error but a value.
 */
export async function rebuild(
  ground: Ground,
  wish: Wish,
  asker: Asker,
): Promise<RebuildResult | FailedRebuild> {
  refuseOwnName(ground, wish)
  const work: Work = { ground, wish, asker, phases: [], startedMs: asker.clock.monotonicMs() }
  const claimed = await claim(work)
  const { place } = claimed
  let stays = false
  try {
    const result = await raise(work, place)
    stays = 'kept' in result && result.kept !== null
    return result
  } finally {
    if (!stays) await clearPlace(place)
    claimed.release()
  }
}
