import {
  environmentFacts as facts,
  environmentOperations as operations,
  type RebuildResult,
} from '../../contracts/environment.ts'
import {
  bindJob,
  bindValue,
  type Call,
  type Capability,
  type Context,
  type FactExtras,
  type JobCall,
} from '../../kernel/capability/index.ts'
import { HoldfastError, parseDuration, plainError } from '../../kernel/std/index.ts'
import type { LoadedEnvironment } from '../composition/index.ts'
import { clearOrphans, dropRebuild, listPlaces } from './place.ts'
import { failureOf, rebuild, type FailedRebuild } from './rebuild.ts'

/** What rebuilds stand on. */
export interface RebuildGround {
  readonly loaded: LoadedEnvironment
  /** Absolute. */
  readonly dataDirectory: string
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Where the files of a release lie, absolute. */
  readonly releaseDirectory: (service: string, release: string) => string
  readonly context: Context
}

const sweepMs = 10_000

const extrasOf = ({ caller, correlation }: Call): FactExtras => ({ actor: caller.actor, correlation })

/** Directories of the releases that run now. */
async function releasesOf({ context, releaseDirectory }: RebuildGround): Promise<Record<string, string>> {
  const { releases } = await context.call(operations.deploys, { most: 1 })
  return Object.fromEntries(
    releases
      .filter(({ running, image }) => running !== '' && image === null)
      .map(({ service, running }) => [service, releaseDirectory(service, running)]),
  )
}

interface Wanted {
  readonly into: string
  readonly keep?: string | undefined
  readonly from?: string | undefined
}

async function build(
  ground: RebuildGround,
  wanted: Wanted,
  call: JobCall,
): Promise<RebuildResult | FailedRebuild> {
  const { loaded, dataDirectory, variables, context } = ground
  const { into, keep, from } = wanted
  const wish = { into, from, keepMs: keep === undefined ? null : (parseDuration(keep) ?? null) }
  const asker = {
    owner: call.jobId,
    clock: context.clock,
    signal: call.signal,
    progress: (share: number, says: string) => call.progress(share, says),
  }
  const releases = await releasesOf(ground)
  return rebuild({ loaded, dataDirectory, releases, variables, random: context.random }, wish, asker)
}

async function rebuildOnce(ground: RebuildGround, wanted: Wanted, call: JobCall): Promise<RebuildResult> {
  const { context, loaded } = ground
  const about = { into: wanted.into, job: call.jobId }
  const extras = extrasOf(call)
  await call.step('begin', async () => {
    await context.record(facts.rebuildBegun, { ...about, hash: loaded.hash }, extras)
    return {}
  })
  const fail = async (error: FailedRebuild): Promise<void> => {
    const { failed, phases } = error
    await context.record(facts.rebuildFailed, { ...about, ...failed, phases: [...phases] }, extras)
  }
  const result = await build(ground, wanted, call).catch(async (error: unknown) => {
    const because = plainError(error).message
    if (!call.signal.aborted) await fail({ failed: { phase: 'prepare', because }, phases: [] })
    throw error
  })
  if ('failed' in result) {
    await fail(result)
    throw failureOf(result)
  }
  const { seconds, isolated, phases } = result
  await context.record(facts.rebuilt, { ...about, seconds, isolated, phases }, extras)
  return result
}

function unknown(into: string, there: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'environment.rebuild-unknown',
    kind: 'user',
    message: `there is no second environment "${into}"`,
    path: 'into',
    hint: there.length === 0 ? 'none is kept' : `there are ${there.join(', ')}`,
  })
}

async function remove(
  { dataDirectory, context }: RebuildGround,
  into: string,
  call: Call,
): Promise<{ says: string }> {
  const there = await listPlaces(dataDirectory)
  if (!there.includes(into)) throw unknown(into, there)
  const dropped = await dropRebuild(dataDirectory, into)
  if (dropped === null) {
    throw new HoldfastError({
      code: 'environment.rebuild-under-way',
      kind: 'user',
      message: `"${into}" is being built at this moment`,
      hint: 'cancel its job: holdfast jobs cancel <id>',
    })
  }
  const because = dropped.wasKept ? 'somebody asked for it' : 'nobody wanted what was left of it'
  await context.record(facts.rebuildRemoved, { into, because }, extrasOf(call))
  return { says: `${into} was removed` }
}

/** Removes what was kept long enough, and what a killed control has left. */
async function sweep({ dataDirectory, context }: RebuildGround): Promise<void> {
  try {
    for (const into of await clearOrphans(dataDirectory))
      await context.record(facts.rebuildRemoved, { into, because: 'its time was over, or its builder gone' })
  } catch (error) {
    context.log.warn({ error: plainError(error).message }, 'what is left of a rebuild could not be removed')
  }
}

/** Builds the environment a second time when asked, and sees to it that nothing of that is left behind. */
export function rebuilds(ground: RebuildGround): Capability {
  const sweeping: { current: Promise<void>; stop: () => void } = {
    current: Promise.resolve(),
    stop: () => undefined,
  }
  const sweepNext = (): void => {
    sweeping.current = sweeping.current.then(() => sweep(ground))
  }
  return {
    name: 'rebuild',
    operations: [
      bindJob(operations.rebuild, (wanted, call) => rebuildOnce(ground, wanted, call)),
      bindValue(operations.removeRebuild, ({ into }, call) => remove(ground, into, call)),
    ],
    check: () => Promise.resolve([]),
    start: async () => {
      sweepNext()
      await sweeping.current
      sweeping.stop = ground.context.clock.every(sweepMs, sweepNext)
    },
    stop: async () => {
      sweeping.stop()
      await sweeping.current
    },
  }
}
