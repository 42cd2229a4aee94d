import { describe, expect, test } from 'vitest'
import { bindValue, type Capability, type Context } from '../../kernel/capability/index.ts'
import { virtualClock } from '../../kernel/std/index.ts'
import { callAs, somebody, testHouse } from '../../../test/support/control/house.ts'
import { testCatalogue, testOperations } from '../../../test/support/control/operations.ts'

describe('the context', () => {
  function room(use: (context: Context) => void, over: Partial<Capability> = {}) {
    return (context: Context): readonly Capability[] => {
      use(context)
      const nothing = (): Promise<void> => Promise.resolve()
      const none = { check: () => Promise.resolve([]), start: nothing, stop: nothing }
      return [{ name: 'room', operations: [], ...none, ...over }]
    }
  }

  test('calls go through the stages as holdfast', async () => {
    const contexts: Context[] = []
    const { facts } = await testHouse({ capabilities: room((context) => contexts.push(context)) })
    const [context] = contexts
    expect(await context?.call(testOperations.change, { what: 'it' })).toEqual({ changed: 'it' })
    expect((await facts('operations.called'))[0]).toMatchObject({ actor: 'holdfast' })
  })

  test('a job is waited for, and its failure is thrown', async () => {
    const contexts: Context[] = []
    await testHouse({ capabilities: room((context) => contexts.push(context)) })
    const [context] = contexts
    const done = await context?.call(testOperations.work, { what: 'it' })
    expect(done).toEqual({ first: 'it 1', second: 'it 2' })
    await expect(context?.call(testOperations.work, { what: 'fail' })).rejects.toThrow('it failed')
  })

  test('a refusal by a limit is thrown, since a capability asked for a value', async () => {
    const contexts: Context[] = []
    const house = await testHouse({
      clock: virtualClock(),
      capabilities: room((context) => contexts.push(context)),
    })
    const call = () => contexts[0]?.call(testOperations.change, { what: 'it' })
    for (let number = 0; number < 5; number++) await call()
    await expect(call()).rejects.toMatchObject({ code: 'limit.refused' })
    await house.house.stop()
  })

  test('capabilities stop in reverse, and those that started stop when a later one cannot start', async () => {
    const log: string[] = []
    const made = (name: string, start: () => Promise<void>): Capability => ({
      name,
      operations: [],
      check: () => Promise.resolve([]),
      start,
      stop: () => {
        log.push(`${name} stopped`)
        return Promise.resolve()
      },
    })
    const fine = (): Promise<void> => Promise.resolve()
    const { house } = await testHouse({ capabilities: () => [made('first', fine), made('second', fine)] })
    await house.stop()
    expect(log).toEqual(['second stopped', 'first stopped'])
    const broken = () => [made('third', fine), made('fourth', () => Promise.reject(new Error('no engine')))]
    await expect(testHouse({ capabilities: broken })).rejects.toThrow('no engine')
    expect(log).toContain('third stopped')
  })

  test('a job that a capability asks for while it starts runs once', async () => {
    const results: Promise<unknown>[] = []
    const capabilities = (context: Context): readonly Capability[] => {
      const start = async (): Promise<void> => {
        results.push(context.call(testOperations.work, { what: 'pause' }))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      return room(() => undefined, { start })(context)
    }
    const { facts, house } = await testHouse({ capabilities })
    expect(await Promise.all(results)).toEqual([{ first: 'pause 1', second: 'pause 2' }])
    expect(await facts('jobs.begun')).toHaveLength(1)
    expect(house.jobs.counts()).toEqual({ running: 0, waiting: 0 })
  })

  test('the same fold runs once', async () => {
    const contexts: Context[] = []
    await testHouse({ capabilities: room((context) => contexts.push(context)) })
    const fold = {
      name: 'count@1',
      initial: { facts: 0 },
      step: ({ facts }: { facts: number }) => ({ facts: facts + 1 }),
    }
    const one = await contexts[0]?.view(fold)
    expect(await contexts[0]?.view(fold)).toBe(one)
    await contexts[0]?.call(testOperations.change, { what: 'it' })
    expect(one?.state).toEqual({ facts: 1 })
  })
})

test('bindValue is what a capability binds with', async () => {
  const own = bindValue(testOperations.echo, ({ text }) => Promise.resolve({ text: `${text}!` }))
  const { house } = await testHouse({
    catalogue: testCatalogue.filter(({ name }) => !name.startsWith('test.') || name === 'test.echo'),
    bindings: () => [own],
  })
  const answer = await callAs(house, somebody('view'), { operation: 'test.echo', input: { text: 'hi' } })
  expect(answer).toEqual({ kind: 'value', value: { text: 'hi!' } })
})
