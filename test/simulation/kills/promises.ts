import { environmentFacts as facts, environmentOperations } from '../../../src/contracts/environment.ts'
import { jobFacts, type Job } from '../../../src/contracts/index.ts'
import type { Fact } from '../../../src/kernel/timeline/index.ts'
import type { Scenario } from './scenarios.ts'
import { call, perform, type Stage } from './stage.ts'

/** What is looked at when an undertaking has ended and all is quiet. */
export interface Quiet {
  readonly scenario: Scenario
  readonly stage: Stage
  readonly job: Job
  readonly facts: readonly Fact[]
}

type Promised = (quiet: Quiet) => readonly string[] | Promise<readonly string[]>

const textOf = (data: Fact['data'], field: string): string => {
  const value = data?.[field]
  return typeof value === 'string' ? value : ''
}

const endOf = ({ state, error }: Job): string => (state === 'done' ? state : (error?.code ?? state))

const endIsKnown: Promised = ({ scenario: { ends }, job }) => {
  const end = endOf(job)
  const isSaid = end !== 'environment.run-failed' || /nobody knows|exit code 7/.test(job.error?.message ?? '')
  return ends.includes(end) && isSaid ? [] : [`the job ended with ${end}: ${job.says}`]
}

function tally(names: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]))
}

const same = (what: string, is: unknown, wanted: unknown): readonly string[] => {
  const [left, right] = [sorted(is), sorted(wanted)]
  return left === right ? [] : [`${what}: ${left}, not ${right}`]
}

function sorted(value: unknown): string {
  if (Array.isArray(value)) return JSON.stringify(value.map(String).toSorted())
  return JSON.stringify(Object.entries(value as object).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

const whatRunsIsWished: Promised = ({ scenario, stage: { world }, job, facts: all }) => {
  const good: readonly string[] = [facts.deployed.kind, facts.applied.kind]
  const cameAbout = all.some(({ kind, data }) => good.includes(kind) && data?.['job'] === job.id)
  const running = [...world.engine.replicas.values()].filter(({ spec }) => spec.restarts)
  const names = running.map(({ spec }) => `${spec.service} ${spec.release}`)
  const ill = running.filter(({ well }) => !well).map(({ spec }) => `${spec.id} is not well`)
  return [
    ...same('what runs', tally(names), scenario.runs(cameAbout)),
    ...same('volumes', [...world.stores.volumes], scenario.volumes),
    ...same('databases', [...world.stores.databases.keys()], scenario.databases),
    ...ill,
  ]
}

const nobodyIsHarmed: Promised = ({ stage: { harm } }) => harm.slice(0, 3)

const runsAtMostOnce: Promised = ({ stage: { runs } }) =>
  Object.entries(tally(runs)).flatMap(([key, times]) => (times > 1 ? [`${key} ran ${times} times`] : []))

const undertakings: readonly (readonly [begun: string, ends: readonly string[], of: string])[] = [
  [facts.deployBegun.kind, [facts.deployed.kind, facts.deployFailed.kind], 'job'],
  [facts.applyBegun.kind, [facts.applied.kind, facts.applyFailed.kind], 'job'],
  [facts.runBegun.kind, [facts.runEnded.kind, facts.runFailed.kind], 'run'],
  [jobFacts.requested.kind, [jobFacts.ended.kind], 'job'],
]

const whatBeginsEndsOnce: Promised = ({ facts: all }) =>
  undertakings.flatMap(([begun, ends, of]) => {
    const count = (kinds: readonly string[]) =>
      tally(all.filter(({ kind }) => kinds.includes(kind)).map(({ data }) => textOf(data, of)))
    const [beginnings, endings] = [count([begun]), count(ends)]
    return [...new Set([...Object.keys(beginnings), ...Object.keys(endings)])].flatMap((key) => {
      const [first = 0, last = 0] = [beginnings[key], endings[key]]
      return first === 1 && last === 1 ? [] : [`${begun} of ${key}: ${first} times, and ${last} ends`]
    })
  })

/** The file that was accepted was said to be, once. */
const acceptedIsSaid: Promised = ({ stage: { world, first }, facts: all }) => {
  const said = all
    .filter(({ kind }) => kind === facts.configurationAccepted.kind)
    .map(({ data }) => data?.['hash'])
  const { hash } = world.place.accepted
  return same('files that were said to be accepted', said, hash === first ? [] : [hash])
}

const nothingIsLeft: Promised = async ({ stage, scenario: { ends } }) => {
  const history = await call(stage, environmentOperations.deploys, { most: 10 })
  const drift = await call(stage, environmentOperations.drift, { ignore: [] })
  const plan = await call(stage, environmentOperations.plan, {})
  const isLeft = ends.includes('environment.apply-failed')
  const left = isLeft ? ['service api'] : []
  const again = isLeft
    ? null
    : await perform(stage, environmentOperations.apply, { plan: plan.hash, destroy: [] })
  return [
    ...history.deploys
      .filter(({ outcome }) => outcome === 'under way')
      .map(({ release }) => `${release} is under way`),
    ...history.locks.map(({ service }) => `deploys of ${service} are locked`),
    ...same(
      'drift',
      drift.items.map(({ object }) => object),
      left,
    ),
    ...same(
      'a second plan',
      plan.steps.map(({ object }) => object),
      left,
    ),
    ...(again === null || again.state === 'done'
      ? []
      : [`a second apply ends with ${endOf(again)}: ${again.says}`]),
  ]
}

/** What the timeline says of runs and deploys is what was done. */
const historyIsTrue: Promised = ({ stage: { runs }, facts: all }) => {
  const ended = all.filter(({ kind }) => kind === facts.runEnded.kind).map(({ data }) => textOf(data, 'run'))
  return ended.filter((key) => !runs.includes(key)).map((key) => `${key} is said to have run`)
}

const promises: Readonly<Record<string, Promised>> = {
  'the end is known': endIsKnown,
  'what runs is what is wished': whatRunsIsWished,
  'enough serve, and nobody is sent to who is gone': nobodyIsHarmed,
  'a job runs at most once': runsAtMostOnce,
  'what begins ends once': whatBeginsEndsOnce,
  'the history is true': historyIsTrue,
  'what was accepted is said': acceptedIsSaid,
  'nothing is left': nothingIsLeft,
}

/** Every promise that was broken. */
export async function broken(quiet: Quiet): Promise<readonly string[]> {
  const found: string[] = []
  for (const [name, promise] of Object.entries(promises))
    for (const wrong of await promise(quiet)) found.push(`${name}: ${wrong}`)
  return found
}
