import { environmentFacts as facts, type DeployHistory } from '../../../contracts/environment.ts'
import type { Fact, Timeline } from '../../../kernel/timeline/index.ts'
import { readUndertakings } from '../read-undertakings.ts'
import { textOf } from '../text-of.ts'

type DeployView = DeployHistory['deploys'][number]

/** A deploy is three or four facts. */
const factsEach = 5

function viewOf(begun: Fact, end: Fact | undefined): DeployView {
  const { job, service, release, before, note, source } = facts.deployBegun.data.parse(begun.data)
  const common = { job, service, release, before, source, at: begun.at, by: begun.actor }
  const said = { ...common, note: note.replace(/^: /, '') }
  if (end === undefined) return { ...said, outcome: 'under way', says: `${release} is on its way` }
  if (end.kind === facts.deployFailed.kind) {
    const { because } = facts.deployFailed.data.parse(end.data)
    return { ...said, outcome: 'rolled back', says: because }
  }
  const { verdict, seconds } = facts.deployed.data.parse(end.data)
  return { ...said, outcome: 'deployed', says: `${verdict}; took ${seconds} s` }
}

/** The last deploys, newest first, from what the timeline says of them. */
export async function readDeploys(
  timeline: Pick<Timeline, 'read'>,
  { service, most }: { readonly service?: string | undefined; readonly most: number },
): Promise<readonly DeployView[]> {
  const found = await readUndertakings(timeline, {
    begun: facts.deployBegun.kind,
    ends: [facts.deployed.kind, facts.deployFailed.kind],
    subject: service === undefined ? undefined : `service:${service}`,
    keyOf: ({ data }) => textOf(data, 'job'),
    most,
    limit: most * factsEach,
  })
  return found.map(({ begun, end }) => viewOf(begun, end))
}
