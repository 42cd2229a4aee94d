import { expect, test } from 'vitest'
import { familyMembers } from './members.ts'
import type { ProcessEntry, ProcessTable } from './process-table.ts'

const entry = (pid: number, more: Partial<ProcessEntry> = {}): ProcessEntry => ({
  pid,
  parent: 1,
  group: pid,
  session: pid,
  zombie: false,
  frozen: false,
  birth: `b${pid}`,
  startedAt: 0,
  cpuMs: 0,
  residentBytes: 0,
  ...more,
})

const tableOf = (entries: readonly ProcessEntry[], marks: Record<number, string> = {}): ProcessTable => ({
  read: (pid) => entries.find((item) => item.pid === pid),
  list: () => entries,
  variable: (pid) => marks[pid],
})

const family = { pid: 100, birth: 'b100', mark: { name: 'M', value: 'ours' }, groupPids: [300] }
const pids = (table: ProcessTable, more = {}): number[] =>
  familyMembers({ ...family, ...more }, table).map(({ pid }) => pid)

test('session, process group, cgroup and mark make a family; zombies and strangers do not', () => {
  const entries = [
    entry(100),
    entry(101, { session: 100, group: 101 }),
    entry(102, { session: 0, group: 100 }),
    entry(103, { session: 100, zombie: true }),
    entry(200),
    entry(300),
    entry(400),
    entry(500),
  ]
  expect(pids(tableOf(entries, { 400: 'ours', 500: 'theirs' }))).toEqual([100, 101, 102, 300, 400])
})

test('without its leader the session is still ours', () => {
  expect(pids(tableOf([entry(101, { session: 100 })]))).toEqual([101])
})

test('a session whose number was given to a stranger is not ours', () => {
  const entries = [entry(100, { birth: 'later' }), entry(101, { session: 100 })]
  expect(pids(tableOf(entries))).toEqual([])
})

test('we never count ourselves', () => {
  expect(pids(tableOf([entry(process.pid)], { [process.pid]: 'ours' }))).toEqual([])
})
