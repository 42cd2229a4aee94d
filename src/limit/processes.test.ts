import { describe, expect, test } from 'vitest'
import { parseLimit } from '../kernel/limit/index.ts'
import { detectProcesses, shareOf } from './processes.ts'

describe('processes', () => {
  test.each([
    ['alone', {}, null, { count: 1, isFirst: true }],
    ['WEB_CONCURRENCY', { WEB_CONCURRENCY: '4' }, null, { count: 4, isFirst: true }],
    ['a first worker', { WEB_CONCURRENCY: '4' }, 1, { count: 4, isFirst: true }],
    ['another worker', {}, 3, { count: null, isFirst: false }],
    ['PM2', { NODE_APP_INSTANCE: '0', instances: '8' }, null, { count: 8, isFirst: true }],
    ['PM2, the third', { NODE_APP_INSTANCE: '2' }, null, { count: null, isFirst: false }],
    ['nonsense', { WEB_CONCURRENCY: 'many', NODE_APP_INSTANCE: '-1' }, null, { count: 1, isFirst: true }],
  ])('%s', (...[, variables, clusterWorker, processes]) => {
    expect(detectProcesses({ variables, clusterWorker })).toEqual(processes)
  })

  test('a share is a part of the bound, and at least one', () => {
    expect(shareOf(parseLimit('20/hour burst 10'), 4)).toMatchObject({ count: 5, burst: 2 })
    expect(shareOf(parseLimit('2 at once'), 4)).toMatchObject({ count: 1, burst: 1 })
  })
})
