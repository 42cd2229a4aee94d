import { environmentFacts as facts, type DeployHistory } from '../../../contracts/environment.ts'
import type { Fact, Timeline } from '../../../kernel/timeline/index.ts'
import { textOf } from '../text-of.ts'

type DeployView = DeployHistory['deploys'][number]

const ends: readonly string[] = [facts.deployed.kind, facts.deployFailed.kind]
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
  const found = await timeline.read({
    kinds: [facts.deployBegun.kind, ...ends],
    ...(service === undefined ? {} : { subject: `service:${service}` }),
    order: 'newest',
    limit: most * factsEach,
  })
  const readable = found.filter(({ data }) => data !== null)
  const endOf = new Map(
    readable.filter(({ kind }) => ends.includes(kind)).map((fact) => [textOf(fact.data, 'job'), fact]),
  )
  return readable
    .filter(({ kind }) => kind === facts.deployBegun.kind)
    .slice(0, most)
    .map((begun) => viewOf(begun, endOf.get(textOf(begun.data, 'job'))))
}
