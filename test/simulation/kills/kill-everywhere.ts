import { expect } from 'vitest'
import type { Kill } from '../world/effects.ts'
import { broken } from './promises.ts'
import type { Scenario } from './scenarios.ts'
import { createStage } from './stage.ts'

const seed = Number(process.env['SIMULATION_SEED'] ?? 1)
const only = process.env['SIMULATION_KILL']
const settleMs = 15_000
const downMs = 400

/** What came of one undertaking. */
interface Outcome {
  /** Every effect until all was quiet. */
  readonly effects: readonly string[]
  readonly broken: readonly string[]
}

async function enact(scenario: Scenario, kill: Kill | null): Promise<Outcome> {
  const stage = await createStage(seed, scenario.file)
  const { world, control } = stage
  await world.clock.advance(settleMs)
  await scenario.before(stage)
  await world.clock.advance(settleMs)
  stage.promise = scenario.promise
  world.effects.count(kill, () => control.kill(downMs))
  try {
    const job = await scenario.undertake(stage)
    await world.clock.advance(settleMs)
    const effects = [...world.effects.passed]
    const facts = await world.disk.timeline.read({ limit: 10_000 })
    return { effects, broken: await broken({ scenario, stage, job, facts }) }
  } catch (error) {
    return { effects: [...world.effects.passed], broken: [String(error)] }
  }
}

/** Kills control at every effect of an undertaking, before it and after it, each in a world of its own. */
export async function killEverywhere(scenario: Scenario): Promise<void> {
  const whole = await enact(scenario, null)
  expect(whole.broken).toEqual([])
  expect(whole.effects.length).toBeGreaterThan(10)
  const wrong: string[] = []
  const kills = whole.effects.flatMap((name, index) =>
    (['before', 'after'] as const).map((when) => ({ name, kill: { at: index + 1, when } })),
  )
  for (const { name, kill } of kills) {
    const label = `${kill.when} ${kill.at}`
    if (only !== undefined && only !== label) continue
    const outcome = await enact(scenario, kill)
    for (const one of outcome.broken) wrong.push(`killed ${label} (${name}): ${one}`)
  }
  if (wrong.length > 0) wrong.push(`one alone again: SIMULATION_SEED=${seed} SIMULATION_KILL="before 7"`)
  expect(wrong).toEqual([])
}
