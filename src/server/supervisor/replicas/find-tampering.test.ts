import { expect, test } from 'vitest'
import type { ProcessEntry, ProcessTable } from '../machine/process-table.ts'
import { findTampering } from './find-tampering.ts'

const entry = (pid: number, frozen = false): ProcessEntry => ({
  pid,
  parent: 1,
  group: pid,
  session: pid,
  zombie: false,
  frozen,
  birth: `b${pid}`,
  startedAt: 5,
  cpuMs: 0,
  residentBytes: 0,
})

function tableOf(entries: readonly ProcessEntry[], marks: Readonly<Record<number, string>>): ProcessTable {
  return {
    read: (pid) => entries.find((each) => each.pid === pid),
    list: () => entries,
    variable: (pid) => marks[pid],
  }
}

function replica(id: string, pid: number, limits: { memoryMiB: number | null; cpus: number | null } | null) {
  const current = { pid, specHash: 'a', group: limits === null ? null : { limits: () => limits } }
  const wished = { specHash: 'a', spec: { memoryMiB: 64, cpus: 0.5 } }
  return { id, current, wished } as never
}

const environment = 'e0'

test('what is as it was started is nothing', () => {
  const table = tableOf([entry(10), entry(11)], { 10: 'e0/web/1/a', 11: 'e0/web/1/a' })
  const replicas = [
    replica('web/1', 10, { memoryMiB: 64, cpus: 0.5 }),
    replica('web/2', 12, { memoryMiB: 64.001, cpus: 0.501 }),
    replica('web/3', 13, null),
  ]
  expect(findTampering(replicas, { table, environment })).toEqual({ strays: [], frozen: [], limits: [] })
})

test('processes of another group, of none, and of another environment are told apart', () => {
  const marks = { 20: 'e0/web/1/b', 21: 'e0/web/9/a', 22: 'e1/web/9/a', 23: 'nonsense' }
  const table = tableOf(
    [20, 21, 22, 23, 10].map((pid) => entry(pid)),
    { ...marks, 10: 'e0/web/1/a' },
  )
  const { strays } = findTampering([replica('web/1', 10, null)], { table, environment })
  expect(strays).toEqual([
    { pid: 20, replica: 'web/1', startedAt: 5 },
    { pid: 21, replica: 'web/9', startedAt: 5 },
  ])
})

test('a process that was stopped, and bounds that are others', () => {
  const table = tableOf([entry(10, true)], {})
  const replicas = [replica('web/1', 10, { memoryMiB: null, cpus: 0.5 })]
  expect(findTampering(replicas, { table, environment })).toEqual({
    strays: [],
    frozen: ['web/1'],
    limits: [{ replica: 'web/1', memoryMiB: { wished: 64, is: null }, cpus: { wished: 0.5, is: 0.5 } }],
  })
})
