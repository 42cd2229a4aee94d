import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { virtualClock } from '../../std/index.ts'
import type { Fact, FactQuery, NewFact } from '../index.ts'
import type { Subject } from './facts.ts'

const kinds = ['edge.limit-bit', 'edge.flood-started', 'house.tested', 'environment.deployed']
const subjects = [null, 'service:web', 'service:api', 'limit:edge.route./login']
const severities = ['info', 'notice', 'warning', 'critical'] as const
const correlations = [null, 'job-1', 'job-2']

const anyFact = fc.record({
  kind: fc.constantFrom(...kinds),
  severity: fc.constantFrom(...severities),
  subject: fc.constantFrom(...subjects),
  actor: fc.constantFrom('holdfast', 'person:ada'),
  correlation: fc.constantFrom(...correlations),
  data: fc.dictionary(fc.string({ maxLength: 5, unit: 'grapheme' }), fc.jsonValue({ maxDepth: 2 }), {
    maxKeys: 3,
  }),
}) as fc.Arbitrary<NewFact>

const anyQuery = fc.record(
  {
    after: fc.nat(400),
    before: fc.integer({ min: 1, max: 500 }),
    sinceStep: fc.nat(400),
    untilStep: fc.nat(500),
    kinds: fc.subarray([...kinds, 'edge.*', 'nothing.*', 'house.never'], { minLength: 1 }),
    subject: fc.constantFrom('service:web', 'service:api', 'service:none'),
    correlation: fc.constantFrom('job-1', 'job-3'),
    minimumSeverity: fc.constantFrom(...severities),
    order: fc.constantFrom('oldest' as const, 'newest' as const),
    limit: fc.integer({ min: 1, max: 60 }),
  },
  { requiredKeys: [] },
)

/** What a search must find, said in the plainest way: each condition by itself. */
function expected(facts: readonly Fact[], query: FactQuery): number[] {
  const conditions: ((fact: Fact) => boolean)[] = [
    ({ sequence }) => sequence > (query.after ?? 0),
    ({ sequence }) => sequence < (query.before ?? Infinity),
    ({ at }) => at >= (query.since ?? 0),
    ({ at }) => at < (query.until ?? Infinity),
    ({ kind }) => query.kinds === undefined || query.kinds.some((wanted) => isKind(kind, wanted)),
    ({ subject }) => query.subject === undefined || subject === query.subject,
    ({ correlation }) => query.correlation === undefined || correlation === query.correlation,
    ({ severity }) => severities.indexOf(severity) >= severities.indexOf(query.minimumSeverity ?? 'info'),
  ]
  const found = facts.filter((fact) => conditions.every((holds) => holds(fact)))
  if (query.order === 'newest') found.reverse()
  return found.slice(0, query.limit ?? 100).map(({ sequence }) => sequence)
}

function isKind(kind: string, wanted: string): boolean {
  return wanted.endsWith('.*') ? kind.startsWith(wanted.slice(0, -1)) : kind === wanted
}

/** Searching with any filter in any data. */
export function searchingConformance(subject: Subject): void {
  describe('search', () => {
    it('finds exactly what a query asks for, whatever was appended', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyFact, { minLength: 1, maxLength: 400 }),
          fc.array(anyQuery, { minLength: 40, maxLength: 40 }),
          async (facts, queries) => {
            const clock = virtualClock()
            const timeline = await subject.make(clock)
            const start = clock.now()
            const all: Fact[] = []
            for (let index = 0; index < facts.length; index += 50) {
              clock.jump(50)
              all.push(...(await timeline.append(facts.slice(index, index + 50))))
            }
            for (const { sinceStep, untilStep, ...rest } of queries) {
              const query: FactQuery = {
                ...rest,
                ...(sinceStep === undefined ? {} : { since: start + sinceStep }),
                ...(untilStep === undefined ? {} : { until: start + untilStep }),
              }
              const found = await timeline.read(query)
              expect(found.map(({ sequence }) => sequence)).toEqual(expected(all, query))
              expect(found).toEqual(found.map(({ sequence }) => all[sequence - 1]))
            }
            expect((await timeline.verify()).broken).toBeNull()
            await timeline.close()
          },
        ),
        { numRuns: 6, seed: 7 },
      )
    })
  })
}
