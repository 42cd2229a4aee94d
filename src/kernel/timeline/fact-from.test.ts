import { expect, it } from 'vitest'
import type { FactDeclaration } from '../std/index.ts'
import { factFrom } from './index.ts'

const started: FactDeclaration<{ readonly replica: number }> = {
  kind: 'environment.replica-started',
  says: 'Replica {replica} started',
  severity: 'info',
  data: {
    parse: (value) => {
      const { replica } = value as { replica: unknown }
      if (typeof replica !== 'number') throw new TypeError('replica is no number')
      return { replica }
    },
  },
}

it('fills in what the declaration says and records what its schema returns', () => {
  expect(factFrom(started, { replica: 2, more: 'left out' } as { replica: number })).toEqual({
    kind: 'environment.replica-started',
    severity: 'info',
    subject: null,
    actor: 'holdfast',
    correlation: null,
    data: { replica: 2 },
  })
})

it('takes what the caller knows better', () => {
  const extras = {
    subject: 'service:web',
    actor: 'person:ada',
    correlation: 'job-1',
    severity: 'critical',
  } as const
  expect(factFrom(started, { replica: 2 }, extras)).toMatchObject(extras)
})

it('refuses data that does not fit', () => {
  const act = (): unknown => factFrom(started, { replica: 'two' as never })
  expect(act).toThrow('the data of a fact environment.replica-started does not fit its declaration')
})
