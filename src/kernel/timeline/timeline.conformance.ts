import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { virtualClock, type VirtualClock } from '../std/index.ts'
import {
  genesisHash,
  startView,
  verifyLines,
  type Fact,
  type FactQuery,
  type NewFact,
  type Timeline,
} from './index.ts'

/** What the suite needs of an implementation. */
export interface Subject {
  /** Makes an empty timeline on this clock. */
  make(clock: VirtualClock): Promise<Timeline>
}

/** A fact for tests. */
export function newFact(change: Partial<NewFact> = {}): NewFact {
  const plain = { severity: 'info', subject: null, actor: 'holdfast', correlation: null } as const
  return { kind: 'house.tested', ...plain, data: { note: 'hello' }, ...change }
}

/** So many facts. */
export function newFacts(count: number, change: Partial<NewFact> = {}): NewFact[] {
  return Array.from({ length: count }, (_, index) => newFact({ data: { index }, ...change }))
}

/** All items of an async iterable. */
export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Items as an async iterable. */
export async function* lines(items: readonly string[]): AsyncGenerator<string> {
  yield* items
}

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

/** What a search must find, said in the plainest way. */
function expected(facts: readonly Fact[], query: FactQuery): number[] {
  const rank = (fact: { severity: Fact['severity'] }): number => severities.indexOf(fact.severity)
  const found = facts.filter(
    (fact) =>
      fact.sequence > (query.after ?? 0) &&
      fact.sequence < (query.before ?? Infinity) &&
      fact.at >= (query.since ?? 0) &&
      fact.at < (query.until ?? Infinity) &&
      (query.kinds?.some((kind) =>
        kind.endsWith('.*') ? fact.kind.startsWith(kind.slice(0, -1)) : fact.kind === kind,
      ) ??
        true) &&
      (query.subject === undefined || fact.subject === query.subject) &&
      (query.correlation === undefined || fact.correlation === query.correlation) &&
      rank(fact) >= severities.indexOf(query.minimumSeverity ?? 'info'),
  )
  if (query.order === 'newest') found.reverse()
  return found.slice(0, query.limit ?? 100).map(({ sequence }) => sequence)
}

/** The suite that every implementation of `Timeline` passes. */
export function timelineConformance(name: string, subject: Subject): void {
  describe(`a timeline (${name})`, () => {
    const open: Timeline[] = []
    const make = async (clock = virtualClock()): Promise<{ timeline: Timeline; clock: VirtualClock }> => {
      const timeline = await subject.make(clock)
      open.push(timeline)
      return { timeline, clock }
    }
    afterEach(async () => {
      for (const timeline of open.splice(0)) await timeline.close()
    })

    describe('append and read', () => {
      it('numbers facts from 1 and returns them as a read does', async () => {
        const { timeline } = await make()
        expect(await timeline.head()).toBeNull()
        expect(await timeline.append([])).toEqual([])
        const first = await timeline.append([
          newFact({ subject: 'service:web', data: { b: [1, null], a: { x: 'ä\0' } } }),
        ])
        const rest = await Promise.all([timeline.append(newFacts(2)), timeline.append(newFacts(1))])
        const all = [...first, ...rest.flat()]
        expect(all.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4])
        expect(await timeline.read({})).toEqual(all)
        expect(await timeline.head()).toEqual({ sequence: 4, hash: all[3]?.hash, at: all[3]?.at })
      })

      it('gives each fact a UUIDv7 of its time, in rising order', async () => {
        const { timeline, clock } = await make()
        const early = await timeline.append(newFacts(1))
        clock.jump(5000)
        const late = await timeline.append(newFacts(1))
        for (const { id } of [...early, ...late]) {
          expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        }
        const time = Number.parseInt(late[0]?.id.replace('-', '').slice(0, 12) ?? '', 16)
        expect(time).toBe(clock.now())
        expect((early[0]?.id ?? '') < (late[0]?.id ?? '')).toBe(true)
      })

      it('keeps time from running backwards when the wall clock jumps back', async () => {
        const { timeline, clock } = await make()
        const [before] = await timeline.append(newFacts(1))
        clock.jump(-3_600_000)
        const [after] = await timeline.append(newFacts(1))
        expect(after?.at).toBe(before?.at)
        expect((await timeline.verify()).broken).toBeNull()
      })

      it('records what the caller said at the time of the call', async () => {
        const { timeline } = await make()
        const data: Record<string, number> = { count: 1 }
        const appending = timeline.append([newFact({ data })])
        data['count'] = 2
        expect((await appending)[0]?.data).toEqual({ count: 1 })
      })

      it.each([
        ['kind', { kind: 'no room' }],
        ['kind', { kind: 'edge.*' }],
        ['actor', { actor: '' }],
        ['subject', { subject: 'half a pair \ud800' }],
        ['subject', { subject: 'x'.repeat(2000) }],
        ['severity', { severity: 'fatal' as never }],
        ['data', { data: ['no object'] as never }],
      ])('refuses a fact with a bad %s and records nothing of the call', async (_, change) => {
        const { timeline } = await make()
        const appending = timeline.append([newFact(), newFact(change)])
        await expect(appending).rejects.toMatchObject({ code: 'timeline.invalid-fact', kind: 'bug' })
        expect(await timeline.head()).toBeNull()
      })

      it('refuses a payload of more than a mebibyte', async () => {
        const { timeline } = await make()
        const appending = timeline.append([newFact({ data: { text: 'x'.repeat(1_100_000) } })])
        await expect(appending).rejects.toMatchObject({ code: 'timeline.fact-too-large' })
      })

      it('refuses a read of too many', async () => {
        const { timeline } = await make()
        await expect(timeline.read({ limit: 10_001 })).rejects.toMatchObject({
          code: 'timeline.invalid-query',
        })
        await expect(timeline.read({ limit: 0 })).rejects.toMatchObject({ code: 'timeline.invalid-query' })
      })

      it('finds exactly what a query asks for, whatever was appended', async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(anyFact, { minLength: 1, maxLength: 400 }),
            fc.array(anyQuery, { minLength: 20, maxLength: 20 }),
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
          { numRuns: 12, seed: 7 },
        )
      })

      it('refuses everything after it is closed', async () => {
        const { timeline } = await make()
        await timeline.close()
        await timeline.close()
        const closed = { code: 'timeline.closed' }
        await expect(timeline.append(newFacts(1))).rejects.toMatchObject(closed)
        await expect(timeline.read({})).rejects.toMatchObject(closed)
        await expect(timeline.head()).rejects.toMatchObject(closed)
      })
    })

    describe('follow', () => {
      it('gives every matching fact once and in order, from the past into the present', async () => {
        const { timeline } = await make()
        await timeline.append(newFacts(700))
        const stop = new AbortController()
        const seen: number[] = []
        const following = (async () => {
          for await (const fact of timeline.follow({ after: 100, kinds: ['house.*'] }, stop.signal)) {
            seen.push(fact.sequence)
            if (fact.sequence === 1503) stop.abort()
          }
        })()
        for (let batch = 0; batch < 40; batch++) {
          await Promise.all([
            timeline.append(newFacts(10)),
            timeline.append(newFacts(10, { kind: 'edge.limit-bit' })),
          ])
        }
        await timeline.append(newFacts(3))
        await following
        const all = await timeline.read({ after: 100, kinds: ['house.*'], limit: 10_000 })
        expect(seen).toEqual(all.map(({ sequence }) => sequence))
      })

      it('begins with what comes after the call, even when reading begins later', async () => {
        const { timeline } = await make()
        await timeline.append(newFacts(5))
        const stop = new AbortController()
        const facts = timeline.follow({}, stop.signal)[Symbol.asyncIterator]()
        await timeline.append(newFacts(2))
        expect((await facts.next()).value?.sequence).toBe(6)
        expect((await facts.next()).value?.sequence).toBe(7)
        const next = facts.next()
        stop.abort()
        expect(await next).toEqual({ done: true, value: undefined })
      })

      it('wakes only for what matches, and ends when the timeline closes', async () => {
        const { timeline } = await make()
        const stop = new AbortController()
        const following = timeline.follow({ subject: 'service:web' }, stop.signal)[Symbol.asyncIterator]()
        const first = following.next()
        await timeline.append(newFacts(3))
        await timeline.append([newFact({ subject: 'service:web' })])
        await timeline.append(newFacts(1))
        expect((await first).value?.sequence).toBe(4)
        const second = following.next()
        await timeline.close()
        expect(await second).toEqual({ done: true, value: undefined })
      })

      it('tells listeners of each append before it resolves', async () => {
        const { timeline } = await make()
        const heard: number[] = []
        const stop = timeline.onAppended((facts) => heard.push(...facts.map(({ sequence }) => sequence)))
        await timeline.append(newFacts(2))
        expect(heard).toEqual([1, 2])
        stop()
        await timeline.append(newFacts(1))
        expect(heard).toEqual([1, 2])
      })
    })

    describe('chain', () => {
      it('verifies, with progress, and holds an anchor', async () => {
        const { timeline } = await make()
        await timeline.append(newFacts(10))
        const anchor = (await timeline.head()) ?? undefined
        await timeline.append(newFacts(1200))
        const shares: number[] = []
        const verification = await timeline.verify({
          ...(anchor === undefined ? {} : { anchor }),
          onProgress: (share) => shares.push(share),
        })
        expect(verification).toEqual({
          checked: 1210,
          head: await timeline.head(),
          base: null,
          broken: null,
          anchor: 'held',
        })
        expect(shares.at(-1)).toBe(1)
        expect(shares).toEqual([...shares].sort((a, b) => a - b))
      })

      it('is broken for an anchor of another chain, or of facts that are gone', async () => {
        const { timeline } = await make()
        await timeline.append(newFacts(10))
        const other = await timeline.verify({ anchor: { sequence: 4, hash: genesisHash, at: 0 } })
        expect(other).toMatchObject({ anchor: 'broken', broken: { sequence: 4 } })
        const beyond = await timeline.verify({ anchor: { sequence: 12, hash: genesisHash, at: 0 } })
        expect(beyond).toMatchObject({ anchor: 'broken', broken: { sequence: 11 } })
      })

      it('verifies when it is empty', async () => {
        const { timeline } = await make()
        expect(await timeline.verify()).toEqual({
          checked: 0,
          head: null,
          base: null,
          broken: null,
          anchor: 'none',
        })
      })

      it('still verifies after a payload was erased', async () => {
        const { timeline } = await make()
        await timeline.append(newFacts(5))
        expect(await timeline.erase(3)).toBe(true)
        expect(await timeline.erase(3)).toBe(true)
        expect(await timeline.erase(6)).toBe(false)
        const facts = await timeline.read({})
        expect(facts.map(({ data }) => data)).toEqual([
          { index: 0 },
          { index: 1 },
          null,
          { index: 3 },
          { index: 4 },
        ])
        expect(await timeline.verify()).toMatchObject({ checked: 5, broken: null })
        await timeline.append(newFacts(1))
        expect(await timeline.verify()).toMatchObject({ checked: 6, broken: null })
      })
    })

    describe('export and import', () => {
      it('rebuilds the same chain, erased payloads and all', async () => {
        const { timeline } = await make()
        await timeline.append(
          newFacts(1100, { subject: 'service:web', correlation: 'job-1', severity: 'warning' }),
        )
        await timeline.append([newFact({ data: { z: 1, a: { c: 'ü"\n', b: -0 }, 10: 1, 9: 2 } })])
        await timeline.erase(7)
        const exported = await collected(timeline.exportLines())
        const { timeline: copy } = await make()
        expect(await copy.importLines(lines(['', ...exported, '  ']))).toBe(1101)
        expect(await copy.head()).toEqual(await timeline.head())
        expect(await collected(copy.exportLines())).toEqual(exported)
        expect(await copy.read({ order: 'newest' })).toEqual(await timeline.read({ order: 'newest' }))
        expect(
          await copy.read({ subject: 'service:web', minimumSeverity: 'warning', after: 1000 }),
        ).toHaveLength(100)
        expect(
          await verifyLines(lines(exported), { anchor: (await timeline.head()) ?? undefined }),
        ).toMatchObject({
          checked: 1101,
          broken: null,
          anchor: 'held',
        })
        const [next] = await copy.append(newFacts(1))
        expect(next?.sequence).toBe(1102)
        expect(await copy.verify()).toMatchObject({ checked: 1102, broken: null })
      })

      it('refuses a broken chain, names the first broken link, and imports nothing', async () => {
        const { timeline } = await make()
        await timeline.append(newFacts(2500))
        const exported = await collected(timeline.exportLines())
        const cases: [string, (lines: string[]) => string[]][] = [
          ['fact 2400', (all) => all.map((line) => line.replace('"index":2399', '"index":9'))],
          ['fact 1300', (all) => all.toSpliced(1300, 1)],
          ['fact 17', (all) => all.toSpliced(17, 2, ...all.slice(17, 19).toReversed())],
          ['fact 2500', (all) => all.slice(0, -1)],
          ['line 3 ', (all) => all.with(2, '{"kind":')],
          ['line 4 ', (all) => all.with(3, '{"sequence":"3"}')],
          ['first line', (all) => all.slice(1)],
          ['format', (all) => all.with(0, '{"format":"another/9"}')],
          ['empty', () => []],
        ]
        const { timeline: copy } = await make()
        for (const [named, change] of cases) {
          const importing = copy.importLines(lines(change(exported)))
          await expect(importing, named).rejects.toMatchObject({
            code: 'timeline.import-refused',
            message: expect.stringContaining(named) as string,
          })
        }
        expect(await copy.head()).toBeNull()
        expect(await copy.importLines(lines(exported))).toBe(2500)
      })

      it('refuses to import into a timeline that is not empty or is listened to', async () => {
        const { timeline } = await make()
        const stop = timeline.onAppended(() => undefined)
        await expect(timeline.importLines(lines([]))).rejects.toMatchObject({
          code: 'timeline.import-refused',
        })
        stop()
        await timeline.append(newFacts(1))
        const exported = await collected(timeline.exportLines())
        await expect(timeline.importLines(lines(exported))).rejects.toMatchObject({
          code: 'timeline.import-refused',
        })
        expect(await timeline.append(newFacts(1))).toHaveLength(1)
      })
    })

    describe('checkpoints and retention', () => {
      const everything = { maxAgeMs: 0, maxSizeBytes: Infinity }

      it('keeps checkpoints', async () => {
        const { timeline } = await make()
        expect(await timeline.loadCheckpoint('jobs@1')).toBeNull()
        await timeline.saveCheckpoint('jobs@1', { sequence: 3, state: { a: [1] } })
        await timeline.saveCheckpoint('jobs@1', { sequence: 4, state: { a: [2] } })
        expect(await timeline.loadCheckpoint('jobs@1')).toEqual({ sequence: 4, state: { a: [2] } })
      })

      it('removes by age, in whole blocks, and the rest verifies from the base', async () => {
        const { timeline, clock } = await make()
        await timeline.append(newFacts(300))
        const anchor = (await timeline.head()) ?? undefined
        clock.jump(10_000)
        await timeline.append(newFacts(300, { subject: 'service:web', kind: 'edge.limit-bit' }))
        expect(await timeline.retain({ maxAgeMs: 20_000, maxSizeBytes: Infinity })).toBe(0)
        expect(await timeline.retain({ maxAgeMs: 5000, maxSizeBytes: Infinity })).toBe(255)
        const rest = await timeline.read({ limit: 1000 })
        expect(rest[0]?.sequence).toBe(256)
        expect(await timeline.read({ kinds: ['house.tested'], limit: 1000 })).toHaveLength(45)
        const verification = await timeline.verify({ anchor })
        expect(verification).toMatchObject({
          checked: 345,
          broken: null,
          anchor: 'held',
          base: { sequence: 255 },
        })
        const old = await timeline.verify({ anchor: { sequence: 100, hash: genesisHash, at: 0 } })
        expect(old).toMatchObject({ broken: null, anchor: 'too-old' })
        clock.jump(10_000)
        expect(await timeline.retain({ maxAgeMs: 5000, maxSizeBytes: Infinity })).toBe(256)
        const [next] = await timeline.append(newFacts(1))
        expect(next?.sequence).toBe(601)
        expect((await timeline.verify()).broken).toBeNull()
      })

      it('removes by size until the rest fits', async () => {
        const { timeline } = await make()
        for (let batch = 0; batch < 8; batch++) await timeline.append(newFacts(1000))
        const removed = await timeline.retain({ maxAgeMs: Infinity, maxSizeBytes: 700_000 })
        expect(removed).toBeGreaterThan(1000)
        expect(removed).toBeLessThan(8000)
        expect(await timeline.retain({ maxAgeMs: Infinity, maxSizeBytes: 700_000 })).toBe(0)
        expect((await timeline.verify()).broken).toBeNull()
      })

      it('never passes the checkpoint of a fold that runs, nor one that has none yet', async () => {
        const { timeline, clock } = await make()
        await timeline.append(newFacts(1000))
        clock.jump(10)
        await timeline.loadCheckpoint('a@1')
        expect(await timeline.retain(everything)).toBe(0)
        await timeline.saveCheckpoint('a@1', { sequence: 600, state: {} })
        await timeline.saveCheckpoint('b@1', { sequence: 300, state: {} })
        expect(await timeline.retain(everything)).toBe(255)
        await timeline.saveCheckpoint('b@1', { sequence: 1000, state: {} })
        expect(await timeline.retain(everything)).toBe(256)
      })

      it('lets go of the checkpoint of a fold that nobody ran for a week', async () => {
        const { timeline, clock } = await make()
        await timeline.append(newFacts(300))
        await timeline.saveCheckpoint('gone@1', { sequence: 10, state: {} })
        clock.jump(6 * 86_400_000)
        expect(await timeline.retain(everything)).toBe(0)
        clock.jump(2 * 86_400_000)
        expect(await timeline.retain(everything)).toBe(255)
        expect(await timeline.loadCheckpoint('gone@1')).toBeNull()
      })

      it('exports a shortened chain with its base and checkpoints, from which folds go on', async () => {
        const { timeline, clock } = await make()
        await timeline.append(newFacts(500))
        const count = {
          name: 'count@1',
          initial: { facts: 0 },
          step: ({ facts }: { facts: number }) => ({ facts: facts + 1 }),
        }
        const view = await startView(timeline, count)
        await view.close()
        clock.jump(10)
        expect(await timeline.retain(everything)).toBe(383)
        const exported = await collected(timeline.exportLines())
        const { timeline: copy } = await make()
        expect(await copy.importLines(lines(exported))).toBe(117)
        expect(await copy.verify()).toMatchObject({ base: { sequence: 383 }, broken: null })
        expect((await startView(copy, count)).state).toEqual({ facts: 500 })
      })
    })
  })
}
