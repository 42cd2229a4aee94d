import { edge } from '../../../src/capabilities/edge/index.ts'
import { factOfEvent } from '../../../src/capabilities/environment/watch/events.ts'
import type { EnvironmentStatus } from '../../../src/contracts/environment.ts'
import type { Fact } from '../../../src/kernel/timeline/index.ts'
import type { Ended } from './run.ts'
import { file, mostMails } from './world.ts'

/** Looks at a world that has come to rest and says what is not as it should be; empty: all is well. */
export type Property = (
  ended: Ended,
  facts: readonly Fact[],
) => Promise<readonly string[]> | readonly string[]

const pageFacts = 10_000

/** Every fact of a run. */
export async function allFacts({ world }: Ended): Promise<readonly Fact[]> {
  const facts: Fact[] = []
  for (;;) {
    const page = await world.disk.timeline.read({ after: facts.at(-1)?.sequence ?? 0, limit: pageFacts })
    facts.push(...page)
    if (page.length < pageFacts) return facts
  }
}

const chainVerifies: Property = async ({ world }) => {
  const { broken } = await world.disk.timeline.verify()
  return broken === null ? [] : [`fact ${broken.sequence}: ${broken.why}`]
}

/** Walks events and facts side by side: the same order, each once; only what the engine itself lost may be missing. */
const eventsBecomeFacts: Property = ({ world }, facts) => {
  const whole = { name: file.name, version: '1', services: Object.keys(file.services) }
  const told = facts.filter(({ data }) => typeof data?.['event'] === 'number')
  const sayFact = (fact: Fact | undefined): string =>
    fact === undefined ? 'nothing' : `${fact.kind} ${JSON.stringify(fact.data)} (fact ${fact.sequence})`
  let next = 0
  for (const { event, excused } of world.engine.seen) {
    const { declaration, data } = factOfEvent(event, whole)
    const fact = told[next]
    if (fact?.kind === declaration.kind && JSON.stringify(fact.data) === JSON.stringify(sorted(data))) next++
    else if (!excused) {
      return [`event ${event.number} (${event.what} ${event.subject}) should come, but ${sayFact(fact)} does`]
    }
  }
  return next === told.length ? [] : [`${told.length - next} facts too many: ${sayFact(told[next])}`]
}

const sorted = (data: object): object =>
  Object.fromEntries(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)))

/** What is true of a service, from the world itself. */
function truthOf({ world }: Ended, service: string): { healthy: number; state: string } {
  const { engine, probing } = world
  const config = file.services[service]
  const replicas = [...engine.replicas.values()].filter(({ spec }) => spec.service === service)
  const outside = config?.address !== undefined
  const healthy = outside ? Number(!probing.outsideIll) : replicas.filter(({ well }) => well).length
  const wanted = outside ? 1 : (config?.replicas.min ?? 0)
  return { healthy, state: healthy >= wanted ? 'healthy' : healthy > 0 ? 'degraded' : 'down' }
}

const never = new AbortController().signal

async function statusOf({ control }: Ended): Promise<EnvironmentStatus | null> {
  const trusted = { actor: 'person:judge', permission: 'view' } as const
  const request = { operation: 'environment.status', input: {}, credentials: { trusted }, signal: never }
  const answer = await control.house?.call(request)
  return answer?.kind === 'value' ? (answer.value as EnvironmentStatus) : null
}

const statusIsTrue: Property = async (ended) => {
  const status = await statusOf(ended)
  if (status === null) return ['control does not answer']
  const wrong = status.services.flatMap(({ name, state, healthy, replicas }) => {
    const truth = truthOf(ended, name)
    const pids = replicas.flatMap(({ id, pid }) =>
      ended.world.engine.replicas.get(id)?.pid === pid ? [] : [id],
    )
    const same = truth.state === state && truth.healthy === healthy
    return [
      ...(same ? [] : [`${name} is ${truth.state} (${truth.healthy} healthy), not ${state} (${healthy})`]),
      ...(name === 'outside' ? [] : pids.map((id) => `the pid of ${id} is wrong`)),
    ]
  })
  return [...wrong, ...status.notes.map((note) => `a note that is no longer true: ${note}`)]
}

const timelineSaysTheTruth: Property = (ended, facts) =>
  Object.keys(file.services).flatMap((service) => {
    const said = facts.findLast(
      ({ kind, data }) => kind.startsWith('environment.service-') && data?.['service'] === service,
    )
    const truth = truthOf(ended, service).state === 'healthy' ? 'healthy' : 'unhealthy'
    const isSaid = said?.kind === `environment.service-${truth}`
    return isSaid ? [] : [`the timeline says ${said?.kind ?? 'nothing'} of ${service}, which is ${truth}`]
  })

const newestPolicy: Property = ({ world }) => {
  const upstreams = Object.entries(file.services)
    .filter(([, { listens }]) => listens)
    .map(([name, { address, health }]) => ({
      name,
      targets:
        address === undefined
          ? [...world.engine.replicas.values()]
              .filter(({ spec, port }) => spec.service === name && port !== null)
              .map((replica) => ({
                id: replica.spec.id,
                origin: `http://127.0.0.1:${replica.port}`,
                group: replica.status().specHash,
              }))
          : [{ id: name, origin: address }],
      healthPath: health ?? null,
    }))
  const expected = edge.compile(file.edge, { environment: file.name, directory: '/simulated', upstreams })
  const { policy } = world.dataPlane
  if (policy?.revision === expected.revision) return []
  return [
    `the edge has targets ${JSON.stringify(policy?.upstreams ?? null)}, not ${JSON.stringify(expected.upstreams)}`,
  ]
}

const jobsEndOnce: Property = ({ people }, facts) => {
  const count = (kind: string, id: string): number =>
    facts.filter((fact) => fact.kind === kind && fact.data?.['job'] === id).length
  const requested = facts
    .filter(({ kind }) => kind === 'jobs.requested')
    .map(({ data }) => textOf(data?.['job']))
  const lost = [...people.promised].filter((id) => !requested.includes(id))
  return [
    ...lost.map((id) => `job ${id} was promised and is not on the timeline`),
    ...requested.flatMap((id) => {
      const ends = count('jobs.ended', id)
      return ends === 1 && count('jobs.requested', id) === 1 ? [] : [`job ${id} ended ${ends} times`]
    }),
  ]
}

/** However often control died in between, what was admitted is not forgotten; a control that starts believes the wall clock. */
const mailsAreBounded: Property = ({ people }) => {
  const byUser = Map.groupBy(people.mails, ({ user }) => user)
  return [...byUser].flatMap(([user, mails]) =>
    mails.flatMap(({ answeredMs }, index) => {
      const first = mails[index - mostMails]
      if (first === undefined || answeredMs - first.askedMs >= 3_600_000) return []
      return [`${user} sent ${mostMails + 1} mails in ${answeredMs - first.askedMs} ms`]
    }),
  )
}

/** Facts that come in pairs: what began is not said to begin again before it ended, over any number of restarts. */
const pairs: readonly (readonly [begin: string, end: string, of: readonly string[]])[] = [
  ['edge.limit-bit', 'edge.limit-eased', ['limit', 'rule']],
  ['edge.origin-failed', 'edge.origin-recovered', ['service']],
]

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function keyOf({ data }: Fact, fields: readonly string[]): string {
  return fields.map((field) => textOf(data?.[field])).join(' ')
}

const beginningsAndEnds: Property = (ended, facts) =>
  pairs.flatMap(([begin, end, fields]) => {
    const open = new Set<string>()
    const wrong: string[] = []
    for (const fact of facts.filter(({ kind }) => kind === begin || kind === end)) {
      const key = keyOf(fact, fields)
      if (open.has(key) === (fact.kind === begin))
        wrong.push(`${fact.kind} of ${key} out of turn (${fact.sequence})`)
      if (fact.kind === begin) open.add(key)
      else open.delete(key)
    }
    const stillTrue = (key: string): boolean =>
      begin === 'edge.origin-failed' && truthOf(ended, key).healthy === 0
    const stuck = [...open].filter((key) => !stillTrue(key))
    return [...wrong, ...stuck.map((key) => `${begin} of ${key} never ended`)]
  })

/** Most facts of each kind about one subject in an hour, whatever flaps. Events of the engine are not control's to bound. */
export const mostPerHour: Readonly<Record<string, number>> = {
  'environment.service-healthy': 600,
  'environment.service-unhealthy': 600,
  'edge.limit-bit': 60,
  'edge.limit-eased': 60,
  'edge.origin-failed': 30,
  'edge.origin-recovered': 30,
  'edge.policy-refused': 60,
  'edge.policy-accepted': 60,
  'edge.reports-missed': 1200,
}

/** Facts of these kinds per subject and hour of virtual time, beyond the bound. */
export function tooMany(facts: readonly Fact[], hours: number): readonly string[] {
  const groups = Map.groupBy(
    facts.filter(({ kind }) => mostPerHour[kind] !== undefined),
    ({ kind, subject, data }) => [kind, subject, textOf(data?.['rule'])].join(' '),
  )
  return [...groups].flatMap(([name, { length }]) => {
    const most = Math.ceil((mostPerHour[name.split(' ')[0] ?? ''] ?? 0) * hours) + 20
    return length <= most ? [] : [`${length} facts ${name} in ${hours.toFixed(2)} h, at most ${most}`]
  })
}

const noiseIsBounded: Property = ({ world }, facts) => tooMany(facts, world.clock.monotonicMs() / 3_600_000)

const nothingUnhandled: Property = ({ unhandled }) =>
  unhandled.map((reason) => `unhandled rejection: ${reason}`)

/** Most characters of JSON that a view of this small world may hold: the jobs keep a thousand that have ended. */
const mostViewSizes: Readonly<Record<string, number>> = { 'jobs@1': 600_000, 'access@1': 100_000 }
const mostViewSize = 5000
/** Most timers that are set when control is at rest. */
const mostTimers = 60

const memoryIsBounded: Property = ({ world }) => [
  ...[...world.disk.largestCheckpoints]
    .filter(([name, size]) => size > (mostViewSizes[name] ?? mostViewSize))
    .map(([name, size]) => `the view ${name} holds ${size} characters`),
  ...(world.clock.pending() <= mostTimers ? [] : [`${world.clock.pending()} timers are set`]),
]

const excusable = /disk of the simulation is full|does not load/

const onlyExcusableComplaints: Property = ({ control }) =>
  control.complaints
    .filter(({ error }) => !excusable.test(error))
    .filter(({ message }) => message !== 'control did not start')
    .map(({ atMs, message, error }) => `at ${atMs / 1000} s control complained: ${message}: ${error}`)

/** A refusal is told only of a policy that was refused. */
const refusalsAreTrue: Property = (_, facts) =>
  facts
    .filter(({ kind }) => kind === 'edge.policy-refused')
    .map(({ data }) => textOf(data?.['message']))
    .filter((message) => message !== 'the certificate does not load')
    .map((message) => `a policy is said to be refused, but: ${message}`)

/** Everything that must hold at the end of every run, by name. */
export const properties: Readonly<Record<string, Property>> = {
  'the chain verifies': chainVerifies,
  'every event of the supervisor is one fact': eventsBecomeFacts,
  'the status is the truth': statusIsTrue,
  'the timeline says the truth': timelineSaysTheTruth,
  'the edge has the newest policy': newestPolicy,
  'jobs end once': jobsEndOnce,
  'admitted mails are remembered': mailsAreBounded,
  'what begins ends': beginningsAndEnds,
  'noise is bounded': noiseIsBounded,
  'no rejection is unhandled': nothingUnhandled,
  'memory is bounded': memoryIsBounded,
  'no strange complaints': onlyExcusableComplaints,
  'refusals are true': refusalsAreTrue,
}

/** Every violation of every property. */
export async function violations(ended: Ended): Promise<readonly string[]> {
  const facts = await allFacts(ended)
  const found = await Promise.all(
    Object.entries(properties).map(async ([name, property]) =>
      (await property(ended, facts)).map((wrong) => `${name}: ${wrong}`),
    ),
  )
  return found.flat()
}
