import { edge } from '../../../src/capabilities/edge/index.ts'
import { environment, type EnvironmentCapability } from '../../../src/capabilities/environment/index.ts'
import { limits } from '../../../src/capabilities/limits/index.ts'
import { rebuildOperations } from '../../../src/contracts/environment/rebuilds.ts'
import type { Capability, Context, Log, OperationBinding } from '../../../src/kernel/capability/index.ts'
import { plainError } from '../../../src/kernel/std/index.ts'
import { headStart } from '../../../src/server/composition/head-start.ts'
import type { LoadedEnvironment } from '../../../src/server/composition/load.ts'
import { bindPlans } from '../../../src/server/plan/index.ts'
import { createHouse, type House } from '../../../src/server/control/index.ts'
import { timelineOf } from './disk.ts'
import { beginLife, type Life } from './life.ts'
import { looksOf } from './looks.ts'
import { storesFor } from './stores.ts'
import { journalFor, proberFor, type World } from './world.ts'

/** A line of control's log that says that something went wrong. */
export interface Complaint {
  readonly atMs: number
  readonly message: string
  readonly error: string
}

/** Control as the supervisor keeps it: killed and started again, always on the same timeline. */
export interface Control {
  /** Null while it is dead or still starting. */
  readonly house: House | null
  readonly complaints: readonly Complaint[]
  /** How often it was started. */
  readonly starts: number
  /** As `kill -9`; it is started again after a while. */
  kill(downMs: number): void
  /** As SIGTERM; it is started again after a while. */
  stop(downMs: number): Promise<void>
}

/** The last complaints are enough to find out. */
const keptComplaints = 200

function environmentOf(
  world: World,
  { life, context }: Ground,
  { directory, environment: file }: LoadedEnvironment,
): EnvironmentCapability {
  const { name, services, volumes, databases, jobs, schedules } = file
  const whole = { name, version: '1', directory, services, volumes, databases, jobs, schedules }
  return environment.create(whole, context, {
    engine: world.engine.portFor(life),
    prober: proberFor(world, life),
    logs: { tail: () => Promise.resolve({ lines: [], end: 0 }), follow: async function* () {} },
    ...storesFor(world.stores, world.effects, life),
    canRun: () => Promise.resolve(true),
    hostVariables: {},
    givenVariables: () => ({}),
  })
}

function capabilities(
  world: World,
  { life, context }: Ground,
  { loaded, theEnvironment }: Current,
): readonly Capability[] {
  const { directory, environment: file } = loaded
  const upstreams = {
    current: () => theEnvironment.endpoints(),
    subscribe: (listener: () => void) => theEnvironment.onEndpoints(listener),
    sentTo: (targets: ReadonlySet<string>) => theEnvironment.sentTo(targets),
  }
  const section = { name: file.name, directory, section: file.edge }
  return [
    theEnvironment,
    edge.create(section, context, { dataPlane: world.dataPlane.portFor(life), upstreams }),
    limits.create(file.limits, context, { journal: journalFor(world, life) }),
  ]
}

function createLog(world: World, complaints: Complaint[]): Log {
  return {
    info: () => undefined,
    warn: () => undefined,
    error: ({ error }, message) => {
      complaints.push({
        atMs: world.clock.monotonicMs(),
        message,
        error: typeof error === 'string' ? error : '',
      })
      if (complaints.length > keptComplaints) complaints.shift()
    },
  }
}

/** Operations that need a machine. */
function nowhere(): readonly OperationBinding[] {
  const refuse = (): Promise<never> => Promise.reject(new Error('not in a simulation'))
  return Object.values(rebuildOperations).map((declaration): OperationBinding => ({
    declaration,
    act: refuse,
  }))
}

/** What one life of control is made of. */
interface Ground {
  readonly life: Life
  readonly context: Context
}

/** What it runs. */
interface Current {
  readonly loaded: LoadedEnvironment
  readonly theEnvironment: EnvironmentCapability
}

/** The operations on plans, over the file of this world. */
function plans(
  world: World,
  { life, context }: Ground,
  { current, stop }: { current: Current; stop: () => void },
) {
  const { place, stores, effects } = world
  const { loaded, theEnvironment } = current
  const does = (name: string, act: () => void): Promise<void> =>
    life.guard(() => effects.pass(life, name, act))
  return bindPlans({
    loaded,
    readAgain: () => Promise.resolve(place.written),
    accept: (fresh) => does('accept the file', () => void (place.accepted = fresh)),
    looks: looksOf(world, life),
    whyKept: () => Promise.resolve(null),
    destroy: (object) =>
      does(`destroy ${object}`, () => {
        world.engine.mustRun()
        const [kind, name = ''] = object.split(' ')
        if (kind === 'volume') stores.volumes.delete(name)
        else stores.databases.delete(name)
      }),
    context,
    handOver: async (fresh) => {
      const next = environmentOf(world, { life, context }, fresh)
      await headStart({ loaded, fresh, current: theEnvironment, next, context })
      stop()
    },
  })
}

interface Start {
  readonly life: Life
  readonly log: Log
  /** Ends control as if by itself. */
  readonly stop: () => void
}

function startHouse(world: World, { life, log, stop }: Start): Promise<House> {
  const loaded = world.place.accepted
  const shelf: { current?: Current } = {}
  const currentOf = (context: Context): Current =>
    (shelf.current ??= { loaded, theEnvironment: environmentOf(world, { life, context }, loaded) })
  return createHouse({
    timeline: timelineOf(world, life),
    series: world.series,
    clock: life.clock,
    random: world.chance.random,
    log,
    capabilities: (context) => capabilities(world, { life, context }, currentOf(context)),
    bindings: (context) => [
      ...nowhere(),
      ...plans(world, { life, context }, { current: currentOf(context), stop }),
    ],
  })
}

/** Starts control on a world, and again whenever it ends. */
export function keepControl(world: World): Control {
  const complaints: Complaint[] = []
  const log = createLog(world, complaints)
  const state: { life: Life; house: House | null; starts: number } = {
    life: beginLife(world.clock),
    house: null,
    starts: 0,
  }
  const start = async (): Promise<void> => {
    const life = beginLife(world.clock)
    state.life = life
    state.starts++
    world.engine.recordProcess('process-started', 'control')
    try {
      const house = await life.guard(() => startHouse(world, { life, log, stop: () => void stop(100) }))
      state.house = house
    } catch (error) {
      log.error({ error: plainError(error).message }, 'control did not start')
      end(1000)
    }
  }
  const end = (downMs: number): void => {
    state.life.end()
    state.house = null
    world.engine.recordProcess('process-crashed', 'control')
    void world.clock.sleep(downMs).then(() => start())
  }
  const stop = async (downMs: number): Promise<void> => {
    const { house, life } = state
    if (house === null) return
    await life.guard(() => house.stop())
    if (state.life === life && life.alive) end(downMs)
  }
  void start()
  return {
    get house() {
      return state.house
    },
    get starts() {
      return state.starts
    },
    complaints,
    kill: (downMs) => {
      if (state.life.alive) end(downMs)
    },
    stop,
  }
}
