import { describe, expect, test } from 'vitest'
import { faults } from './world/faults.ts'
import { allFacts, mostPerHour, tooMany, violations } from './world/properties.ts'
import { simulate, type Ended } from './world/run.ts'

/*
 * Control with the real house, environment and edge on a virtual clock, in a world that goes wrong at random.
 * SIMULATION_SEED=n runs one seed and tells its story; SIMULATION_SEEDS=n runs the seeds 1 to n.
 */

const one = Number(process.env['SIMULATION_SEED'] ?? 0)
const many = Number(process.env['SIMULATION_SEEDS'] ?? 30)
const seeds = one > 0 ? [one] : Array.from({ length: many }, (_, index) => index + 1)

/** What whoever reads a failure needs. */
function report({ seed, story }: Ended, wrong: readonly string[]): string {
  if (wrong.length === 0) return ''
  const how = `again with: SIMULATION_SEED=${seed} vitest run test/simulation`
  return [`seed ${seed}`, ...wrong, ...(one > 0 ? story : []), how].join('\n')
}

describe('control in a world that goes wrong', () => {
  test.each(seeds)('seed %i', async (seed) => {
    const ended = await simulate(seed)
    expect(report(ended, await violations(ended))).toBe('')
    expect(ended.control.house).not.toBeNull()
    expect(ended.story.length).toBeGreaterThan(20)
  })
})

const short = { faultsMs: 120_000, calmMs: 120_000 }

describe('the simulation', () => {
  test('is the same again from the same seed, to the last hash', async () => {
    const heads = [await simulate(7, short), await simulate(7, short), await simulate(8, short)].map(
      ({ world }) => world.disk.timeline.head(),
    )
    const [first, second, other] = (await Promise.all(heads)).map((head) => head?.hash)
    expect(first).toBeDefined()
    expect(second).toBe(first)
    expect(other).not.toBe(first)
  })

  test.each(Object.keys(faults))('bears nothing but: %s', async (name) => {
    const ended = await simulate(99, { faultsMs: 60_000, calmMs: 150_000, only: [name] })
    expect(report(ended, await violations(ended))).toBe('')
  })
})

describe('an hour in which everything flaps', () => {
  test('costs a bounded number of facts, each kind and subject by itself', { timeout: 120_000 }, async () => {
    const only = [
      'a replica flaps',
      'a flood',
      'the edge refuses policies',
      'what somebody else runs is down',
    ]
    const ended = await simulate(5, { faultsMs: 3_600_000, everyMs: 2000, only })
    const facts = await allFacts(ended)
    expect(report(ended, [...tooMany(facts, 1), ...(await violations(ended))])).toBe('')
    const altogether = Object.values(mostPerHour).reduce((sum, most) => sum + most, 0)
    expect(facts.length).toBeLessThan(altogether)
    expect(facts.filter(({ kind }) => kind === 'environment.service-unhealthy').length).toBeGreaterThan(20)
  })
})
