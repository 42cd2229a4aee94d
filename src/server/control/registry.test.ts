import { describe, expect, test } from 'vitest'
import type { OperationDeclaration } from '../../kernel/std/index.ts'
import { callAs, somebody, testHouse } from '../../../test/support/control/house.ts'
import { testOperations } from '../../../test/support/control/operations.ts'
import { createRegistry } from './registry.ts'

describe('the registry', () => {
  const declaration = testOperations.echo as unknown as OperationDeclaration
  const binding = { declaration, act: () => Promise.resolve({}) }
  const misdeclared = { code: 'operations.misdeclared', kind: 'bug' }
  const errorOf = (build: () => unknown): unknown => {
    try {
      return build()
    } catch (error) {
      return error
    }
  }

  test('refuses an operation that is bound twice', () => {
    expect(errorOf(() => createRegistry([binding, binding], [declaration]))).toMatchObject(misdeclared)
  })

  test('refuses an operation that nobody declares', () => {
    expect(errorOf(() => createRegistry([binding], []))).toMatchObject(misdeclared)
  })

  test('refuses an operation that nobody binds', () => {
    expect(errorOf(() => createRegistry([], [declaration]))).toMatchObject(misdeclared)
  })

  test('refuses a job with sensitive fields', () => {
    const job = { ...declaration, answers: 'job' as const, sensitive: ['text'] }
    const bound = { declaration: job, act: () => Promise.resolve({}) }
    expect(errorOf(() => createRegistry([bound], [job]))).toMatchObject(misdeclared)
  })

  test('proposes what was meant', async () => {
    const { house } = await testHouse()
    const call = callAs(house, somebody('view'), { operation: 'test.ehco' })
    await expect(call).rejects.toMatchObject({
      code: 'operations.unknown',
      hint: 'did you mean "test.echo"?',
    })
  })
})
