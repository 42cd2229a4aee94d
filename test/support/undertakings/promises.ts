import { expect } from 'vitest'
import { until, type Place } from '../holdfast/index.ts'
import type { Journal } from './journal.ts'
import type { Knocking } from './knock.ts'

const undertakings: readonly (readonly [begun: string, ends: readonly string[], key: string])[] = [
  ['environment.deploy-begun', ['environment.deployed', 'environment.deploy-failed'], 'job'],
  ['environment.apply-begun', ['environment.applied', 'environment.apply-failed'], 'job'],
  ['environment.run-begun', ['environment.run-ended', 'environment.run-failed'], 'run'],
  ['jobs.requested', ['jobs.ended'], 'job'],
]

/** Whatever began and did not end exactly once. */
export function endedOddly(journal: Journal): readonly string[] {
  const facts = journal.after(0)
  return undertakings.flatMap(([begun, ends, key]) => {
    const keysOf = (kinds: readonly string[]): readonly unknown[] =>
      facts.filter(({ kind }) => kinds.includes(kind)).map(({ data }) => data[key])
    const [beginnings, endings] = [keysOf([begun]), keysOf(ends)]
    return [...new Set([...beginnings, ...endings])].flatMap((one) => {
      const times = [beginnings, endings].map((all) => all.filter((each) => each === one).length)
      return times.every((count) => count === 1) ? [] : [`${begun} of ${String(one)}: ${times.join(' and ')}`]
    })
  })
}

/** Waits until a service runs these releases, all of them well, and nothing is on the way. */
export async function untilRuns(here: Place, service: string, releases: readonly string[]): Promise<void> {
  let seen = ''
  const wanted = JSON.stringify(releases)
  await until(`${service} to run ${wanted}`, async () => {
    const { services } = await here.client().call('environment.status', {})
    const found = services.find(({ name }) => name === service)
    seen = JSON.stringify(found?.replicas.map(({ release, healthy }) => (healthy ? release : 'ill')))
    return seen === wanted && found?.phase === 'steady'
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}; it runs ${seen}`)
  })
}

/** Nothing differs from the file, nothing is under way, nothing would change, and the chain holds. */
export async function nothingIsLeft(here: Place): Promise<void> {
  const client = here.client()
  expect((await client.call('environment.drift', {})).items).toEqual([])
  expect((await client.call('environment.plan', {})).steps).toEqual([])
  const { deploys, locks } = await client.call('environment.deploys', { most: 100 })
  expect(deploys.filter(({ outcome }) => outcome === 'under way')).toEqual([])
  expect(locks).toEqual([])
  expect(await client.job('timeline.verify', {})).toMatchObject({ broken: null })
}

/** Answers that nobody should have got. */
export function wrongAnswers({ answers }: Knocking, right: RegExp): readonly string[] {
  return [...answers.keys()].filter((answer) => !right.test(answer))
}
