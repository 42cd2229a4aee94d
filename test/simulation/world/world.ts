import type { Prober } from '../../../src/capabilities/environment/ports.ts'
import { openSeries, type SeriesStore } from '../../../src/kernel/series/index.ts'
import { memoryTimeline } from '../../../src/kernel/timeline/index.ts'
import type { LimitJournal } from '../../../src/capabilities/limits/ports.ts'
import { memoryJournal } from '../../../src/providers/limit-journal/index.ts'
import { environmentFile, type EnvironmentFile } from '../../../src/server/composition/config.ts'
import type { LoadedEnvironment } from '../../../src/server/composition/load.ts'
import { contentHash, type Json } from '../../../src/kernel/std/index.ts'
import { createChance, type Chance } from './chance.ts'
import { createWorldClock, type WorldClock } from './clock.ts'
import { FakeDataPlane } from './data-plane.ts'
import { createDisk, type Disk } from './disk.ts'
import { createEffects, type Effects } from './effects.ts'
import { FakeEngine } from './engine.ts'
import type { Life } from './life.ts'
import { createStores, type Stores } from './stores.ts'

/** Most mails of a user in any hour. */
export const mostMails = 2

/** The environment that every simulation runs. */
export const file = environmentFile.parse({
  name: 'simulated',
  services: {
    web: { command: ['web'], replicas: 2, health: '/healthz', startTimeout: '10s' },
    api: { command: ['api'], replicas: 3, startTimeout: '5s' },
    worker: { command: ['worker'], listens: false },
    outside: { address: 'http://127.0.0.1:9' },
  },
  edge: {
    routes: {
      'POST /login': { to: 'web', limit: ['5/min per ip', '300/min'] },
      '/api/*': { to: 'api', limit: '60/min per ip' },
      '/*': { to: 'web', limit: '120/min per ip burst 60' },
    },
  },
  limits: { mail: `${mostMails} in any hour per user` },
})

/** Everything outside control: it goes on whether control lives or not. */
export interface World {
  readonly clock: WorldClock
  readonly chance: Chance
  readonly disk: Disk
  readonly stores: Stores
  readonly place: Place
  readonly effects: Effects
  readonly journal: LimitJournal
  readonly series: SeriesStore
  readonly engine: FakeEngine
  readonly dataPlane: FakeDataPlane
  readonly probing: Probing
}

/** The environment file, as it was accepted last and as it is written now. */
export interface Place {
  accepted: LoadedEnvironment
  written: LoadedEnvironment
}

/** An environment as if it had been read from its file. */
export function loadedOf(environment: EnvironmentFile): LoadedEnvironment {
  const directory = '/simulated'
  const data = JSON.parse(JSON.stringify(environment)) as Json
  const path = `${directory}/holdfast.config.ts`
  return { file: path, directory, hash: contentHash(data), overrides: {}, data, environment }
}

/** How looking at addresses goes. */
export interface Probing {
  /** A look takes until its timeout. */
  slow: boolean
  /** The service that somebody else runs does not answer. */
  outsideIll: boolean
}

/** Creates a world from a seed. */
export async function createWorld(seed: number, environment: EnvironmentFile = file): Promise<World> {
  const chance = createChance(seed)
  const clock = createWorldClock()
  const timeline = memoryTimeline({ clock, random: chance.random })
  const effects = createEffects()
  const engine = new FakeEngine(clock, chance, effects)
  const loaded = loadedOf(environment)
  const serves = (service: string): boolean =>
    [...engine.replicas.values()].some((replica) => replica.spec.service === service && replica.well)
  return {
    clock,
    chance,
    disk: createDisk(timeline),
    stores: createStores(),
    place: { accepted: loaded, written: loaded },
    effects,
    journal: memoryJournal(),
    series: await openSeries({ path: null, clock }),
    engine,
    dataPlane: new FakeDataPlane({ clock, chance, effects, serves }),
    probing: { slow: false, outsideIll: false },
  }
}

/** What application limits write down on behalf of one life of control. */
export function journalFor({ journal }: World, life: Life): LimitJournal {
  return {
    open: (nowMs) => life.guard(() => journal.open(nowMs)),
    append: (entries) => life.guard(() => journal.append(entries)),
    save: (snapshot, remembered, nowMs) => life.guard(() => journal.save(snapshot, remembered, nowMs)),
    keepDraft: (text) => life.guard(() => journal.keepDraft(text)),
    close: () => life.guard(() => journal.close()),
  }
}

/** Looks at the world's addresses on behalf of one life of control. */
export function proberFor(world: World, life: Life): Prober {
  const { clock, chance, engine, probing } = world
  const isWell = (origin: string): boolean => {
    if (origin === 'http://127.0.0.1:9') return !probing.outsideIll
    const port = Number(new URL(origin).port)
    return [...engine.replicas.values()].some((replica) => replica.port === port && replica.well)
  }
  return {
    probe: (origin, _path, timeoutMs) =>
      life.guard(async () => {
        const late = probing.slow && chance.oneIn(2)
        await clock.sleep(late ? timeoutMs : chance.between(0, 30))
        if (late) return { healthy: false, detail: 'no answer in time' }
        return isWell(origin) ? { healthy: true, detail: '' } : { healthy: false, detail: 'it answers 500' }
      }),
  }
}
