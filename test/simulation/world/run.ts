import { createChance, type Chance } from './chance.ts'
import { keepControl, type Control } from './control.ts'
import { endFaults, faults, type Stage } from './faults.ts'
import { createPeople, type People } from './people.ts'
import { createWorld, type World } from './world.ts'

/** A simulation that has come to its end. */
export interface Ended {
  readonly seed: number
  readonly world: World
  readonly control: Control
  readonly people: People
  /** What went wrong on purpose: when (ms since the start) and what. */
  readonly story: readonly string[]
  /** Rejections that nobody handled. */
  readonly unhandled: readonly string[]
}

/** How a simulation is run. */
export interface RunOptions {
  /** Virtual time with faults; default 6 minutes. */
  readonly faultsMs?: number
  /** Virtual time without, until the end; default 5.5 minutes. */
  readonly calmMs?: number
  /** Mean time between faults; default 4 s. */
  readonly everyMs?: number
  /** Names of the faults; default all. */
  readonly only?: readonly string[]
}

const longAgoMs = 15_000

function tellStory(world: World, story: string[], name: string): void {
  story.push(`${(world.clock.monotonicMs() / 1000).toFixed(1)} s: ${name}`)
}

/** Some things stay as they are: the truth at the end is not always that all is well. */
function leaveIll({ engine, probing }: World, fate: Chance): void {
  for (const replica of engine.replicas.values()) replica.ill = fate.oneIn(4)
  probing.outsideIll = fate.oneIn(2)
}

/** Longer than a service that flapped has to be well before that is said. */
const defaultCalmMs = 330_000

/** Runs one simulation from its seed. The same seed gives the same run, to the last hash of the timeline. */
export async function simulate(seed: number, options: RunOptions = {}): Promise<Ended> {
  const { faultsMs = 360_000, calmMs = defaultCalmMs, everyMs = 4000, only = Object.keys(faults) } = options
  const unhandled: string[] = []
  const onUnhandled = (reason: unknown): void => void unhandled.push(String(reason))
  process.on('unhandledRejection', onUnhandled)
  try {
    const world = await createWorld(seed)
    // Faults draw from chance of their own, so that one line more in the product does not change what goes wrong.
    const fate = createChance(seed ^ 0x5eed)
    const control = keepControl(world)
    const people = createPeople(world, control)
    const story: string[] = []
    const state = { over: false }
    const stage: Stage = { world, control, isOver: () => state.over }
    await world.clock.advance(longAgoMs)
    while (world.clock.monotonicMs() < faultsMs) {
      const name = fate.pick(only)
      tellStory(world, story, name)
      void faults[name]?.(stage)
      if (fate.oneIn(2)) void people.act()
      await world.clock.advance(fate.between(1, 2 * everyMs))
    }
    state.over = true
    await world.clock.advance(1000)
    endFaults(world)
    leaveIll(world, fate)
    tellStory(world, story, 'calm')
    await world.clock.advance(calmMs)
    return { seed, world, control, people, story, unhandled }
  } finally {
    process.off('unhandledRejection', onUnhandled)
  }
}
