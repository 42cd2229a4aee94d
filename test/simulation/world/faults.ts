import type { Control } from './control.ts'
import type { FakeReplica } from './replica.ts'
import type { World } from './world.ts'

/** What a fault may lay its hands on. */
export interface Stage {
  readonly world: World
  readonly control: Control
  /** True when the time of faults is over: what went on must end. */
  readonly isOver: () => boolean
}

/** Something that goes wrong. What takes time puts itself right again. */
export type Fault = (stage: Stage) => Promise<void> | void

/** Sleeps, but not much beyond the end of the time of faults. */
async function during({ world, isOver }: Stage, mostMs: number): Promise<void> {
  const untilMs = world.clock.monotonicMs() + world.chance.between(500, mostMs)
  while (world.clock.monotonicMs() < untilMs && !isOver()) await world.clock.sleep(500)
}

function someReplica({ world }: Stage): FakeReplica | undefined {
  const all = [...world.engine.replicas.values()]
  return all.length === 0 ? undefined : world.chance.pick(all)
}

const engineFaults: Readonly<Record<string, Fault>> = {
  'a replica crashes': (stage) => someReplica(stage)?.crash(),
  'a replica crashes again and again': async (stage) => {
    const replica = someReplica(stage)
    if (replica === undefined) return
    replica.crashAfterMs = stage.world.chance.between(50, 8000)
    replica.crash()
    await during(stage, 90_000)
    replica.crashAfterMs = null
  },
  'a replica listens to the world': (stage) => someReplica(stage)?.expose(),
  'a program goes missing': (stage) => {
    const replica = someReplica(stage)
    if (replica === undefined) return
    replica.unstartable = true
    replica.crash()
  },
  'the supervisor dies, replicas live on': async (stage) => {
    stage.world.engine.die()
    await during(stage, 60_000)
    stage.world.engine.start('survived')
  },
  'the supervisor dies and replicas with it': async (stage) => {
    stage.world.engine.die()
    await during(stage, 20_000)
    stage.world.engine.start('died')
  },
  'the supervisor loses its events': async (stage) => {
    stage.world.engine.die()
    stage.world.engine.loseEvents()
    await during(stage, 10_000)
    stage.world.engine.start('survived')
  },
  'the oldest events give way': ({ world }) => world.engine.forgetOldest(),
  'the supervisor is slow': async (stage) => {
    stage.world.engine.slow = true
    await during(stage, 30_000)
    stage.world.engine.slow = false
  },
  'the supervisor loses answers': async (stage) => {
    stage.world.engine.losesAnswers = 3
    await during(stage, 30_000)
    stage.world.engine.losesAnswers = 0
  },
}

const probeFaults: Readonly<Record<string, Fault>> = {
  'a replica is ill': async (stage) => {
    const replica = someReplica(stage)
    if (replica === undefined) return
    replica.ill = true
    await during(stage, 60_000)
    replica.ill = false
  },
  'a replica flaps': async (stage) => {
    const replica = someReplica(stage)
    if (replica === undefined) return
    const times = stage.world.chance.between(2, 20)
    for (let time = 0; time < times && !stage.isOver(); time++) {
      replica.ill = !replica.ill
      await during(stage, 6000)
    }
    replica.ill = false
  },
  'probes are slow': async (stage) => {
    stage.world.probing.slow = true
    await during(stage, 20_000)
    stage.world.probing.slow = false
  },
  'what somebody else runs is down': async (stage) => {
    stage.world.probing.outsideIll = true
    await during(stage, 40_000)
    stage.world.probing.outsideIll = false
  },
}

const edgeFaults: Readonly<Record<string, Fault>> = {
  'the edge refuses policies': async (stage) => {
    stage.world.dataPlane.refuses = true
    await during(stage, 40_000)
    stage.world.dataPlane.refuses = false
  },
  'the edge is gone': async (stage) => {
    stage.world.dataPlane.die()
    await during(stage, 40_000)
    stage.world.dataPlane.restart('kept')
  },
  'the edge is replaced at once': ({ world }) => world.dataPlane.restart(world.chance.pick(['kept', 'new'])),
  'the edge loses answers': async (stage) => {
    stage.world.dataPlane.losesAnswers = 3
    await during(stage, 30_000)
    stage.world.dataPlane.losesAnswers = 0
  },
  'reports are lost': async (stage) => {
    stage.world.dataPlane.losesReports = 4
    await during(stage, 40_000)
    stage.world.dataPlane.losesReports = 0
  },
  'a flood': async (stage) => {
    const { world } = stage
    world.dataPlane.flood = () => world.chance.between(0, 50)
    await during(stage, 40_000)
    world.dataPlane.flood = () => 0
  },
}

const controlFaults: Readonly<Record<string, Fault>> = {
  'control is killed': ({ world, control }) => control.kill(world.chance.between(100, 20_000)),
  'control is killed as soon as it is back': async ({ world, control }) => {
    control.kill(100)
    await world.clock.sleep(100 + world.chance.between(0, 400))
    control.kill(100)
  },
  'control is stopped': ({ world, control }) => control.stop(world.chance.between(100, 5000)),
  'the disk is full': async (stage) => {
    stage.world.disk.full = true
    await stage.world.clock.sleep(stage.world.chance.between(100, 3000))
    stage.world.disk.full = false
  },
}

const clockFaults: Readonly<Record<string, Fault>> = {
  'the wall clock jumps': ({ world }) => {
    const [least, most] = world.chance.pick([
      [-3_600_000, -60_000],
      [-5000, 5000],
      [60_000, 3_600_000],
    ] as const)
    world.clock.jump(world.chance.between(least, most))
  },
}

/** Everything that can go wrong, by name. */
export const faults: Readonly<Record<string, Fault>> = {
  ...engineFaults,
  ...probeFaults,
  ...edgeFaults,
  ...controlFaults,
  ...clockFaults,
}

/** Puts right what faults left behind, but not what only a person would mend. */
export function endFaults({ engine, dataPlane, probing, disk }: World): void {
  engine.start('survived')
  engine.slow = false
  engine.losesAnswers = 0
  for (const replica of engine.replicas.values()) {
    replica.ill = false
    replica.crashAfterMs = null
  }
  if (!dataPlane.up) dataPlane.restart('kept')
  dataPlane.refuses = false
  dataPlane.losesAnswers = 0
  dataPlane.losesReports = 0
  dataPlane.flood = () => 0
  probing.slow = false
  probing.outsideIll = false
  disk.full = false
}
