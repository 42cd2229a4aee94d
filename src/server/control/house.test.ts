import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert, asyncProperty, constantFrom, stringMatching } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { errorCatalogue, inputJsonSchema, operationCatalogue } from '../../contracts/index.ts'
import { HoldfastError, virtualClock, type OperationDeclaration } from '../../kernel/std/index.ts'
import { memoryTimeline } from '../../kernel/timeline/index.ts'
import { callAs, somebody, testHouse } from '../../../test/support/control/house.ts'
import {
  bindMarkers,
  capabilityOperations,
  sampleInput,
  testCatalogue,
} from '../../../test/support/control/operations.ts'

const everything = operationCatalogue as unknown as readonly OperationDeclaration[]
const acted = (name: string): Error =>
  new HoldfastError({ code: 'kernel.unexpected', kind: 'bug', message: `acted: ${name}` })
const wholeHouse = {
  catalogue: everything,
  bindings: () => bindMarkers(capabilityOperations, acted),
}

async function outcome(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'passed',
    (error: unknown) => (error as { code?: string }).code ?? 'stranger',
  )
}

describe('permission', () => {
  const roles = ['public', 'use', 'view', 'operate', 'administer'] as const
  const rank = { public: 0, use: 1, view: 1, operate: 2, administer: 3 }

  test.each(everything.map((operation) => [operation.name, operation] as const))(
    '%s is open to its rung and those above it, and to nobody else',
    async (name, operation) => {
      const { house } = await testHouse(wholeHouse)
      for (const role of roles) {
        const input = sampleInput(inputJsonSchema(operation))
        const found = await outcome(callAs(house, somebody(role), { operation: name, input }))
        const refused = role === 'public' ? 'access.unauthenticated' : 'access.denied'
        const passes = role === operation.permission || rank[role] > rank[operation.permission]
        // A link that does not exist is refused by the operation itself.
        const itself = name === 'access.sign-in'
        expect([role, !itself && found === refused]).toEqual([role, !itself && !passes])
        expect(itself ? found : 'access.unauthenticated').toBe('access.unauthenticated')
      }
      await house.stop()
    },
  )

  test('a strange permission may nothing', async () => {
    const { house } = await testHouse()
    const stranger = somebody('root' as 'view')
    expect(await outcome(callAs(house, stranger, { operation: 'test.echo' }))).toBe('access.denied')
  })
})

describe('what must not be seen', () => {
  const withSecrets = everything.filter(({ sensitive }) => sensitive.length > 0)

  test('the contracts have such fields', () => {
    expect(withSecrets.map(({ name }) => name)).toContain('access.sign-in')
  })

  test('no sensitive field of any operation reaches the timeline or the log', async () => {
    const clock = virtualClock()
    const { house, facts, logged } = await testHouse({ ...wholeHouse, clock })
    await assert(
      asyncProperty(
        constantFrom(...withSecrets),
        stringMatching(/^[a-z0-9]{30,60}$/),
        async (operation, secret) => {
          await clock.advance(60_000)
          const marker = `marker-${secret}`
          const fields = Object.fromEntries(operation.sensitive.map((field) => [field, marker]))
          const known = Object.keys((inputJsonSchema(operation)['properties'] ?? {}) as object)
          const sample = sampleInput(inputJsonSchema(operation))
          const given = Object.fromEntries(Object.entries(fields).filter(([field]) => known.includes(field)))
          const input = { ...sample, ...given }
          await outcome(callAs(house, somebody('administer'), { operation: operation.name, input }))
          expect(JSON.stringify(await facts())).not.toContain(marker)
          expect(JSON.stringify(logged)).not.toContain(marker)
        },
      ),
      { numRuns: 30 },
    )
  })

  test('a token is answered once and is nowhere on the timeline', async () => {
    const { house, facts } = await testHouse()
    const admin = somebody('administer')
    const answer = await callAs(house, admin, { operation: 'access.create-token', input: { name: 'ci' } })
    const { token } = (answer as { value: { token: string } }).value
    const link = await callAs(house, somebody('administer', 'root'), {
      operation: 'access.create-sign-in-link',
    })
    const { url } = (link as { value: { url: string } }).value
    const text = JSON.stringify(await facts())
    expect(text).not.toContain(token)
    expect(text).not.toContain(url.split('=')[1])
    expect(text).toContain('access.token-created')
  })

  test('a large input is recorded by its size only', async () => {
    const { house, facts } = await testHouse()
    const input = { what: 'x'.repeat(100_000) }
    await callAs(house, somebody('operate'), { operation: 'test.change', input })
    const [fact] = await facts('operations.called')
    expect(JSON.stringify(fact).length).toBeLessThan(1000)
    expect(fact?.data?.['input']).toEqual({
      omitted: expect.stringMatching(/^1000\d\d characters$/) as string,
    })
  })
})

describe('limits', () => {
  test('bite per caller and let go with time', async () => {
    const clock = virtualClock()
    const { house } = await testHouse({ clock })
    const call = (actor: string) =>
      callAs(house, somebody('operate', actor), { operation: 'test.change', input: { what: 'it' } })
    const kinds: string[] = []
    for (let number = 0; number < 7; number++) kinds.push((await call('person:kim')).kind)
    expect(kinds).toEqual(['value', 'value', 'value', 'value', 'value', 'refused', 'refused'])
    const refused = await call('person:kim')
    if (refused.kind !== 'refused') throw new Error('not refused')
    expect(refused.refusal).toMatchObject({ limit: 'operations.test.change', rule: '5/min per caller' })
    expect(refused.refusal.retryAfterMs).toBeGreaterThan(0)
    expect((await call('person:lee')).kind).toBe('value')
    await clock.advance(refused.refusal.retryAfterMs)
    expect((await call('person:kim')).kind).toBe('value')
  })

  test('every operation of the contracts has a limit that can be kept', async () => {
    const { house } = await testHouse(wholeHouse)
    expect(house.operations).toHaveLength(everything.length)
  })

  test('refused permissions cannot fill the timeline', async () => {
    const { house, facts } = await testHouse({ clock: virtualClock() })
    for (let number = 0; number < 200; number++) {
      await outcome(
        callAs(house, somebody('view'), { operation: 'test.change', input: { what: `it ${number}` } }),
      )
    }
    expect((await facts('operations.called')).length).toBe(60)
  })

  test('a caller has no more than 32 streams open, and gets places back', async () => {
    const { house } = await testHouse()
    const gone = new AbortController()
    const open = (signal: AbortSignal) =>
      house.call({
        operation: 'test.count',
        input: { to: 5 },
        credentials: { trusted: somebody('view') },
        signal,
      })
    for (let number = 0; number < 32; number++) expect((await open(gone.signal)).kind).toBe('stream')
    expect(await open(gone.signal)).toMatchObject({ kind: 'refused', refusal: { limit: 'control.streams' } })
    gone.abort()
    expect((await open(new AbortController().signal)).kind).toBe('stream')
  })
})

describe('the house', () => {
  test('runs under a virtual clock and removes old facts hourly', async () => {
    const clock = virtualClock()
    const { house, facts } = await testHouse({
      clock,
      retention: { maxAgeMs: 1_800_000, maxSizeBytes: 2 ** 30 },
      timeline: memoryTimeline({ clock }),
    })
    const old = { kind: 'old.thing', severity: 'info', subject: null, actor: 'x', correlation: null } as const
    await house.context.timeline.append(Array.from({ length: 200 }, () => ({ ...old, data: {} })))
    await house.stop()
    const next = await testHouse({
      clock,
      retention: { maxAgeMs: 1_800_000, maxSizeBytes: 2 ** 30 },
      timeline: house.context.timeline,
    })
    await clock.advance(3_600_001)
    // Facts go in whole blocks of 128.
    expect((await facts('old.thing')).length).toBeLessThan(128)
    expect((await facts('timeline.facts-expired')).length).toBe(1)
    await next.house.stop()
  })

  test('says facts in words, also those of a kind that nobody declares', async () => {
    const { house, timeline } = await testHouse()
    await callAs(house, somebody('operate'), { operation: 'test.change', input: { what: 'it' } })
    const strange = { kind: 'old.thing-done', subject: null, actor: 'x', correlation: null }
    await timeline.append([{ ...strange, severity: 'info', data: { a: 1 } }])
    const answer = await callAs(house, somebody('view'), { operation: 'timeline.read' })
    const { facts } = (answer as { value: { facts: { says: string }[] } }).value
    expect(facts.map(({ says }) => says)).toEqual([
      'person:operate called test.change: done',
      'old.thing-done {"a":1}',
    ])
  })

  test('reads the newest facts, oldest of them first', async () => {
    const { house } = await testHouse({ clock: virtualClock() })
    for (const what of ['a', 'b', 'c']) {
      await callAs(house, somebody('operate'), { operation: 'test.change', input: { what } })
    }
    const answer = await callAs(house, somebody('view'), { operation: 'timeline.read', input: { limit: 2 } })
    const { facts } = (answer as { value: { facts: { sequence: number }[] } }).value
    expect(facts.map(({ sequence }) => sequence)).toEqual([2, 3])
  })

  test('erases the payload of a fact, but not of those that decide who may come in', async () => {
    const { house, facts } = await testHouse()
    const admin = somebody('administer')
    await callAs(house, admin, { operation: 'access.create-token', input: { name: 'ci' } })
    const [created] = await facts('access.token-created')
    const [called] = await facts('operations.called')
    const erase = (sequence: number | undefined) =>
      callAs(house, admin, { operation: 'timeline.erase', input: { sequence, because: 'asked for' } })
    await expect(erase(created?.sequence)).rejects.toMatchObject({ code: 'timeline.not-erasable' })
    expect(await erase(called?.sequence)).toMatchObject({ value: { erased: true } })
    expect(await erase(999)).toMatchObject({ value: { erased: false } })
    expect((await facts('timeline.fact-erased')).length).toBe(1)
    expect((await house.context.timeline.verify()).broken).toBeNull()
  })

  test('verifies the chain as a job, against an anchor', async () => {
    const { house } = await testHouse()
    const verify = async (anchor?: string) => {
      const answer = await callAs(house, somebody('view'), {
        operation: 'timeline.verify',
        input: { anchor },
      })
      if (answer.kind !== 'job') throw new Error('no job')
      return house.jobs.ended(answer.job.id, new AbortController().signal)
    }
    expect(await verify()).toMatchObject({ state: 'done', result: { broken: null } })
    const head = await house.context.timeline.head()
    expect(await verify(`${head?.sequence}:${head?.hash}`)).toMatchObject({ result: { broken: null } })
    expect(await verify(`${head?.sequence}:${'0'.repeat(64)}`)).toMatchObject({
      result: { broken: { sequence: head?.sequence } },
    })
    expect(await verify('rubbish')).toMatchObject({
      state: 'failed',
      error: { code: 'operations.invalid-input' },
    })
  })

  test('lists its operations with what the caller may', async () => {
    const { house } = await testHouse()
    const answer = await callAs(house, somebody('view'), { operation: 'operations.list' })
    const { operations } = (
      answer as { value: { operations: { name: string; permitted: boolean; inputSchema: object }[] } }
    ).value
    expect(operations.map(({ name }) => name).sort()).toEqual(testCatalogue.map(({ name }) => name).sort())
    const found = (name: string) => operations.find((operation) => operation.name === name)
    expect(found('test.echo')).toMatchObject({ permitted: true, inputSchema: { type: 'object' } })
    expect(found('test.change')).toMatchObject({ permitted: false })
  })

  test('every error code in this room is in the catalogue', () => {
    const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
    const codes = files.flatMap((text) => [...text.matchAll(/\bcode: '([a-z.-]+)'/g)].map(([, code]) => code))
    const known = errorCatalogue.map(({ code }) => code)
    expect(codes.length).toBeGreaterThan(20)
    expect([...new Set(codes)].filter((code) => code === undefined || !known.includes(code))).toEqual([])
    expect(known).toEqual([...known].sort())
  })
})
