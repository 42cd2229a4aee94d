import { expect, test } from 'vitest'
import type { ProcessEntry, ProcessTable } from '../machine/process-table.ts'
import { findLeftReplicas } from './find-left.ts'

interface Fake {
  readonly pid: number
  readonly session?: number
  readonly birth?: string
  readonly mark?: string
  readonly zombie?: boolean
}

function tableOf(fakes: readonly Fake[]): ProcessTable {
  const entries: ProcessEntry[] = fakes.map((fake) => ({
    pid: fake.pid,
    parent: 1,
    group: fake.session ?? fake.pid,
    session: fake.session ?? fake.pid,
    zombie: fake.zombie ?? false,
    frozen: false,
    birth: fake.birth ?? `b${fake.pid}`,
    startedAt: 77,
    cpuMs: 0,
    residentBytes: 0,
  }))
  return {
    read: (pid) => entries.find((entry) => entry.pid === pid),
    list: () => entries,
    variable: (pid, name) => (name === 'PORT' ? '20001' : fakes.find((fake) => fake.pid === pid)?.mark),
  }
}

const record = (id: string, pid: number) =>
  ({
    id,
    specHash: 'aa',
    pid,
    birth: `b${pid}`,
    startedAt: 5,
    port: 20_009,
    restarts: 2,
    exit: null,
  }) as const

test('one on record is found although it hides its environment', () => {
  const left = findLeftReplicas(tableOf([{ pid: 100 }]), 'e0', [record('web/1', 100)])
  expect(left).toEqual({ replicas: [record('web/1', 100)], orphans: [] })
})

test('a pid that was given to another process is not ours, nor is a zombie', () => {
  const table = tableOf([
    { pid: 100, birth: 'later' },
    { pid: 101, zombie: true },
  ])
  expect(findLeftReplicas(table, 'e0', [record('web/1', 100), record('web/2', 101)]).replicas).toEqual([])
})

test('one that is not on record is found by its mark; those of another house are not', () => {
  const table = tableOf([{ pid: 100, mark: 'e0/web/1/bb' }, { pid: 101, mark: 'e1/web/2/bb' }, { pid: 102 }])
  expect(findLeftReplicas(table, 'e0', []).replicas).toEqual([
    {
      id: 'web/1',
      specHash: 'bb',
      pid: 100,
      birth: 'b100',
      startedAt: 77,
      port: 20_001,
      restarts: 0,
      exit: null,
    },
  ])
})

test('children of a living main process are family, those of a dead one are orphans', () => {
  const table = tableOf([
    { pid: 100, mark: 'e0/web/1/aa' },
    { pid: 105, session: 100, mark: 'e0/web/1/aa' },
    { pid: 205, session: 200, mark: 'e0/web/2/aa' },
  ])
  const left = findLeftReplicas(table, 'e0', [record('web/1', 100), record('web/2', 200)])
  expect(left.replicas.map(({ pid }) => pid)).toEqual([100])
  expect(left.orphans).toEqual([{ pid: 205, birth: 'b205', mark: 'e0/web/2/aa' }])
})
