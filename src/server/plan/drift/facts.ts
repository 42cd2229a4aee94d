import { edgeFacts } from '../../../contracts/edge.ts'
import { environmentFacts as facts, type EnvironmentStatus } from '../../../contracts/environment.ts'
import type { Context } from '../../../kernel/capability/index.ts'
import type { Fact } from '../../../kernel/timeline/index.ts'
import type { EdgeScene } from './of-edge.ts'
import type { GoneSince } from './of-files.ts'

type Ground = Pick<Context, 'timeline'>

/** So many files that were accepted are searched for the one that took an object away. */
const mostAccepted = 200

const lastOf = async (
  { timeline }: Ground,
  kinds: readonly string[],
  subject?: string,
): Promise<Fact | undefined> => {
  const about = subject === undefined ? {} : { subject }
  const [fact] = await timeline.read({ kinds, ...about, order: 'newest', limit: 1 })
  return fact
}

/** When each service was last said not to be as it should be. */
export async function illSince(
  ground: Ground,
  { services }: EnvironmentStatus,
): Promise<Readonly<Record<string, number>>> {
  const kinds = [facts.serviceUnhealthy.kind, facts.rolloutRefused.kind]
  const found = await Promise.all(
    services.map(async ({ name }) => {
      const fact = await lastOf(ground, kinds, `service:${name}`)
      return fact === undefined ? [] : [[name, fact.at] as const]
    }),
  )
  return Object.fromEntries(found.flat())
}

/** What the timeline says of the edge: the refusal of a policy, if that is the last word on one, and its last end. */
export async function edgeSince(ground: Ground): Promise<Pick<EdgeScene, 'refused' | 'diedAt'>> {
  const { policyAccepted, policyRefused } = edgeFacts
  const last = await lastOf(ground, [policyAccepted.kind, policyRefused.kind])
  const died = await lastOf(ground, [facts.processCrashed.kind], 'process:edge')
  const message = last?.kind === policyRefused.kind ? last.data?.['message'] : undefined
  const refused = last !== undefined && typeof message === 'string' ? { at: last.at, message } : null
  return { refused, diedAt: died?.at ?? null }
}

/** When a file was accepted that no longer names an object, by what was said of it then. */
export async function goneSinceFrom({ timeline }: Ground): Promise<GoneSince> {
  const kinds = [facts.configurationAccepted.kind]
  const accepted = await timeline.read({ kinds, order: 'newest', limit: mostAccepted })
  return (object) => {
    const saysSo = ({ data }: Fact): boolean => {
      const summary = data?.['summary']
      return typeof summary === 'string' && summary.split('; ').includes(`${object} is gone`)
    }
    return accepted.find(saysSo)?.at ?? null
  }
}
