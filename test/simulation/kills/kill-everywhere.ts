import { maxAttempts } from '../../../src/server/control/jobs/runner.ts'
import type { Kill } from '../world/effects.ts'
import { broken } from './promises.ts'
import type { Scenario, Victim } from './scenarios.ts'
import { createStage, type Stage } from './stage.ts'

const seed = Number(process.env['SIMULATION_SEED'] ?? 1)
const only = process.env['SIMULATION_KILL']
/** Until everything stands, and until everything has come to rest. */
const beginMs = 5000
const settleMs = 15_000
/** An undertaking with fewer was hardly one. */
const fewestEffects = 10
const downMs = 400
/** How long the edge or the supervisor is away. */
const awayMs = 2000

/** What came of one undertaking. */
interface Outcome {
  /** Every effect until all was quiet. */
  readonly effects: readonly string[]
  readonly broken: readonly string[]
}

/** Kills somebody, who comes back by and by; answers whether it was control. */
function kill({ world: { clock, engine, dataPlane }, control }: Stage, victim: Victim): boolean {
  if (victim === 'control') control.kill(downMs)
  if (victim === 'edge') {
    dataPlane.die()
    void clock.sleep(awayMs).then(() => dataPlane.restart('kept'))
  }
  if (victim === 'supervisor') {
    engine.die()
    void clock.sleep(awayMs).then(() => engine.start('survived'))
  }
  return victim === 'control'
}

async function enact(scenario: Scenario, kills: readonly Kill[]): Promise<Outcome> {
  const stage = await createStage(seed, scenario.file)
  const { world } = stage
  await world.clock.advance(beginMs)
  await scenario.before(stage)
  await world.clock.advance(beginMs)
  stage.promise = scenario.promise
  world.effects.count(kills, () => {
    scenario.meanwhile?.(stage)
    return kill(stage, scenario.victim ?? 'control')
  })
  try {
    const job = await scenario.undertake(stage)
    await world.clock.advance(settleMs)
    const effects = [...world.effects.passed]
    world.effects.count([], () => false)
    const facts = await world.disk.timeline.read({ limit: 10_000 })
    return { effects, broken: await broken({ scenario, stage, job, facts }) }
  } catch (error) {
    return { effects: [...world.effects.passed], broken: [String(error)] }
  }
}

/** When control dies, if the n-th effect is where it begins. */
export type Plan = (at: number) => readonly Kill[]

/** Once, before it or after it. */
export const once: readonly Plan[] = [(at) => [{ at, when: 'before' }], (at) => [{ at, when: 'after' }]]

/** Once, after it. */
export const after: readonly Plan[] = [(at) => [{ at, when: 'after' }]]

/** Again and again, a few effects apart, but not so often that the job is given up. */
export const again: readonly Plan[] = [
  (at) => [0, 2, 4, 6].map((later) => ({ at: at + later, when: 'after' as const })),
]

/** Until the job is given up, unless it ends before. */
export const tooOften: readonly Plan[] = [
  (at) => [
    { at, when: 'after' },
    ...Array.from({ length: maxAttempts }, () => ({ at, name: 'jobs.begun', when: 'after' as const })),
  ],
]

/** Once, and once more as soon as somebody has cancelled what the dead control did. */
export const cancelled: readonly Plan[] = [
  (at) => [
    { at, when: 'after' },
    { at, name: 'jobs.cancel-requested', when: 'after' },
  ],
]

/** Kills somebody at every effect of an undertaking, each time in a world of its own; answers with what was wrong then. */
export async function killEverywhere(scenario: Scenario, plans: readonly Plan[]): Promise<readonly string[]> {
  const whole = await enact(scenario, [])
  const wrong = whole.broken.map((one) => `nobody was killed, but: ${one}`)
  if (whole.effects.length < fewestEffects) wrong.push(`there are only ${whole.effects.length} effects`)
  for (const [index, name] of whole.effects.entries()) {
    for (const [number, plan] of plans.entries()) {
      const label = `${index + 1}/${number}`
      if (only !== undefined && only !== label) continue
      const outcome = await enact(scenario, plan(index + 1))
      wrong.push(...outcome.broken.map((one) => `${label} (${name}): ${one}`))
    }
  }
  const how = `one alone again: SIMULATION_SEED=${seed} SIMULATION_KILL=${wrong[0]?.split(' ')[0]}`
  return wrong.length === 0 ? [] : [...wrong, how]
}
