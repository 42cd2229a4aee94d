import { edge } from '../../../capabilities/edge/index.ts'
import type { EdgePolicies } from '../../../contracts/edge-policy.ts'
import type { Json, JsonObject } from '../../../kernel/std/index.ts'
import type { LoadedEnvironment } from '../../composition/index.ts'
import { differencesOf } from '../differences.ts'
import { sayDifferences, type DriftItem, type Seen } from './item.ts'

/** What is known of the edge. Times are milliseconds since the epoch. */
export interface EdgeScene {
  /** The policy that follows from the file, without who answers for services. */
  readonly wanted: Json
  readonly seen: Seen<EdgePolicies>
  /** The refusal of a policy, if that is the last word on one. */
  readonly refused: { readonly at: number; readonly message: string } | null
  /** When it ended unexpectedly; null: it runs, as far as the supervisor sees. */
  readonly diedAt: number | null
}

/** The policy that follows from a file, whoever answers for its services. */
export function wantedPolicy({ environment, directory }: LoadedEnvironment): Json {
  const upstreams = Object.entries(environment.services)
    .filter(([, { listens }]) => listens)
    .map(([name, { health = null }]) => ({ name, targets: [], healthPath: health }))
  const policy = edge.compile(environment.edge, { environment: environment.name, directory, upstreams })
  return JSON.parse(JSON.stringify(policy)) as Json
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const listOf = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : []

const limitLists = ['limits', 'messageLimits', 'unmatchedLimits', 'upgradeLimits', 'errorLimits']
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
const isOfRoute = ({ name }: JsonObject): boolean => textOf(name).startsWith('edge.route.')

/** Lists of limits by their rules, for the numbers of limits say nothing. */
function withRules(value: JsonObject, limits: readonly JsonObject[]): JsonObject {
  const ruleOf = (index: Json): Json => limits[Number(index)]?.['rule'] ?? 'no limit'
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) =>
      limitLists.includes(key) && Array.isArray(each) ? [key, (each as Json[]).map(ruleOf)] : [key, each],
    ),
  )
}

/**
 * A policy as named objects: routes, and the edge itself. Left out is what changes without the file: who answers for
 * services, and who is banned.
 */
function objectsIn(policy: Json): ReadonlyMap<string, Json> {
  if (!isObject(policy)) return new Map([['edge', policy]])
  const { revision: _, bans: __, routes, limits: all, upstreams, ...rest } = policy
  const limits = listOf(all)
  const named = listOf(routes).map(({ name, ...route }): readonly [string, Json] => [
    `route ${textOf(name)}`,
    withRules(route, limits),
  ])
  const ofEdge = limits.filter((limit) => !isOfRoute(limit))
  const looked = listOf(upstreams).map(({ targets: ___, name, ...health }) => [textOf(name), health])
  const itself = { ...withRules(rest, limits), limits: ofEdge, upstreams: Object.fromEntries(looked) as Json }
  return new Map<string, Json>([['edge', itself], ...named])
}

interface Odd {
  readonly object: string
  readonly says: string
}

/** Where a policy is not what it should be. */
function oddities(wanted: Json, is: Json): readonly Odd[] {
  const [before, after] = [objectsIn(wanted), objectsIn(is)]
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((object) => {
    const differences = differencesOf(before.get(object), after.get(object))
    return differences.length === 0 ? [] : [{ object, says: sayDifferences(differences) }]
  })
}

/** Whether the edge serves on what follows from the file. */
export function enforcesWanted({ wanted, seen }: Pick<EdgeScene, 'wanted' | 'seen'>): boolean {
  return 'value' in seen && oddities(wanted, seen.value.enforced).length === 0
}

function ofEnforced({ wanted, refused }: EdgeScene, { enforced, kept }: EdgePolicies): readonly DriftItem[] {
  if (enforced === null) {
    const says = 'the edge serves on no policy yet'
    return [{ object: 'edge', says, since: refused?.at ?? null }]
  }
  const odd = oddities(wanted, enforced)
  const since = refused?.at ?? (odd.length > 0 ? (kept?.modifiedAt ?? null) : null)
  const items = odd.map(({ object, says }) => ({ object, says: `the edge enforces another: ${says}`, since }))
  if (refused === null) return items
  const says = `the edge refused the policy of the file and goes on with the one before: ${refused.message}`
  return [{ object: 'edge', says, since }, ...items]
}

function ofKept({ enforced, kept }: EdgePolicies): readonly DriftItem[] {
  if (enforced === null) return []
  if (kept === null) {
    const says = 'its policy file is gone: after a restart without control it would serve nothing'
    return [{ object: 'edge', says, since: null }]
  }
  const { modifiedAt: since, policy } = kept
  return oddities(enforced, policy).map(({ object, says }) => ({
    object,
    says: `the policy file of the edge, on which it would serve after a restart without control, was changed by hand: ${says}`,
    since,
  }))
}

/** What the edge enforces beside what follows from the file, and what lies on its disk; pure. */
export function driftOfEdge(scene: EdgeScene): readonly DriftItem[] {
  const { seen, diedAt } = scene
  if ('trouble' in seen) return [{ object: 'edge', says: seen.trouble, since: diedAt }]
  return [...ofEnforced(scene, seen.value), ...ofKept(seen.value)]
}
