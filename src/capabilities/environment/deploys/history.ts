import { environmentFacts as facts, type DeployHistory } from '../../../contracts/environment.ts'
import type { Fact, Timeline } from '../../../kernel/timeline/index.ts'
import { readUndertakings } from '../read-undertakings.ts'
import { textOf } from '../text-of.ts'

type DeployView = DeployHistory['deploys'][number]

/** A deploy is three or four facts. */
const factsEach = 5

function viewOf(begun: Fact, end: Fact | undefined, isPending: boolean): DeployView {
  const { job, service, release, before, note, source } = facts.deployBegun.data.parse(begun.data)
  const common = { job, service, release, before, source, at: begun.at, by: begun.actor }
  const said = { ...common, note: note.replace(/^: /, '') }
  if (end === undefined && isPending)
    return { ...said, outcome: 'under way', says: `${release} is on its way` }
  if (end === undefined) return { ...said, outcome: 'rolled back', says: 'its job ended without a word' }
  if (end.kind === facts.deployFailed.kind) {
    const { because } = facts.deployFailed.data.parse(end.data)
    return { ...said, outcome: 'rolled back', says: because }
  }
  const { verdict, seconds } = facts.deployed.data.parse(end.data)
  return { ...said, outcome: 'deployed', says: `${verdict}; took ${seconds} s` }
}

/** Which deploys. */
export interface WantedHistory {
  /** Absent: of all. */
  readonly service?: string | undefined
  readonly most: number
  /** Whether the deploy of a job is under way. */
  readonly isPending: (job: string) => boolean
}

/** The last deploys, newest first, from what the timeline says of them. */
export async function readDeploys(
  timeline: Pick<Timeline, 'read'>,
  { service, most, isPending }: WantedHistory,
): Promise<readonly DeployView[]> {
  const found = await readUndertakings(timeline, {
    begun: facts.deployBegun.kind,
    ends: [facts.deployed.kind, facts.deployFailed.kind],
    subject: service === undefined ? undefined : `service:${service}`,
    keyOf: ({ data }) => textOf(data, 'job'),
    most,
    limit: most * factsEach,
  })
  return found.map(({ begun, end }) => viewOf(begun, end, isPending(textOf(begun.data, 'job'))))
}
