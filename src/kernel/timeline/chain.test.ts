import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { seededRandom, virtualClock, type JsonObject } from '../std/index.ts'
import { checkLink, genesis, headerText, type Entry } from './chain.ts'
import { collected, lines, newFact, newFacts } from './conformance/facts.ts'
import { memoryTimeline, verifyLines } from './index.ts'

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

/** Sorted keys, no spaces: what a reader of the README writes in any language. */
function plainCanonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  )
}

async function exportOf(
  facts: Parameters<ReturnType<typeof memoryTimeline>['append']>[0],
): Promise<string[]> {
  const timeline = memoryTimeline({ clock: virtualClock(), random: seededRandom(5) })
  await timeline.append(facts)
  return await collected(timeline.exportLines())
}

it('is what the README says: an export can be verified without our code', async () => {
  const exported = await exportOf([
    newFact({
      subject: 'limit:edge.route./löwe "x"',
      data: { b: 1.5, a: ['ß', null, true], Z: { y: 1, x: 1e21 } },
    }),
    newFact({ actor: 'person:ada', correlation: 'job-1', severity: 'critical' }),
    newFact({ data: {} }),
  ])
  let previous = sha256('holdfast.timeline/1')
  for (const line of exported.slice(1)) {
    const { salt, data, payloadHash, hash, ...header } = JSON.parse(line) as Record<string, unknown>
    expect(sha256(`${String(salt)}\n${plainCanonical(data)}`)).toBe(payloadHash)
    expect(sha256(`${previous}\n${plainCanonical(header)}\n${String(payloadHash)}`)).toBe(hash)
    previous = String(hash)
  }
})

it('names the fact that was touched, whatever was changed in it', async () => {
  const exported = await exportOf(newFacts(12, { subject: 'service:web', correlation: 'job-1' }))
  const fields = [
    'sequence',
    'id',
    'at',
    'kind',
    'severity',
    'subject',
    'actor',
    'correlation',
    'salt',
    'data',
    'payloadHash',
    'hash',
  ]
  const other: JsonObject = {
    sequence: 99,
    id: 'another',
    at: 1_900_000_000_000,
    kind: 'house.forged',
    severity: 'critical',
    subject: null,
    actor: 'person:eve',
    correlation: null,
    salt: '00'.repeat(16),
    data: { index: 77 },
    payloadHash: '00'.repeat(32),
    hash: '00'.repeat(32),
  }
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 12 }), fc.constantFrom(...fields), async (line, field) => {
      const fact = JSON.parse(exported[line] ?? '') as JsonObject
      const forged = JSON.stringify({ ...fact, [field]: other[field] ?? null })
      const { broken } = await verifyLines(lines(exported.with(line, forged)))
      expect(broken?.sequence).toBe(line)
    }),
  )
})

it('holds for any well-formed payload', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = plainCanonical({ value })
      const header = {
        sequence: 1,
        id: 'x',
        at: 5,
        kind: 'a.b',
        severity: 'info',
        subject: null,
        actor: 'é"',
        correlation: null,
      } as const
      expect(headerText(header)).toBe(plainCanonical(header))
      const payloadHash = sha256(`00\n${text}`)
      const hash = sha256(`${genesis.hash}\n${headerText(header)}\n${payloadHash}`)
      const entry: Entry = { ...header, salt: '00', text, payloadHash, hash }
      expect(checkLink(genesis, entry)).toBeNull()
      expect(checkLink(genesis, { ...entry, text: `${text} ` })).toMatchObject({ sequence: 1 })
      expect(checkLink(genesis, { ...entry, salt: null, text: null })).toBeNull()
      expect(checkLink(genesis, { ...entry, salt: null })).toMatchObject({
        why: 'its payload is only half there',
      })
      expect(checkLink({ ...genesis, at: 6 }, entry)).toMatchObject({ sequence: 1 })
    }),
  )
})

it('notices an export that was cut short or is empty', async () => {
  const exported = await exportOf(newFacts(5))
  expect((await verifyLines(lines(exported))).broken).toBeNull()
  expect((await verifyLines(lines(exported.slice(0, -1)))).broken).toMatchObject({ sequence: 5 })
  expect((await verifyLines(lines([]))).broken).toMatchObject({ why: 'the export is empty' })
})
