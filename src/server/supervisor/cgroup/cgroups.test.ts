import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { machineCgroups } from './cgroups.ts'
import { parseMembership, parseMounts } from './mounts.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-cgroup-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8')
const limits = { memoryMiB: 64, cpus: 0.5 }

test('mounts and memberships are read', () => {
  const mounts = parseMounts(
    [
      'proc /proc proc rw 0 0',
      'cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0',
      'cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0',
      'cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0',
    ].join('\n'),
  )
  expect(mounts.one.get('cpu')).toBe(mounts.one.get('cpuacct'))
  expect(mounts.one.get('memory')).toBe('/sys/fs/cgroup/memory')
  expect(mounts.two).toBe('/sys/fs/cgroup/unified')
  const paths = parseMembership('4:memory:/a:b\n2:cpu,cpuacct:/\n0::/user.slice\n')
  expect(Object.fromEntries(paths)).toEqual({ memory: '/a:b', cpu: '/', cpuacct: '/', '': '/user.slice' })
})

test('version 1: limits are written below our own group, and a process is found there again', () => {
  for (const name of ['cpu', 'memory']) mkdirSync(join(root, name, 'own'), { recursive: true })
  let membership = '1:cpu,cpuacct:/own\n2:memory:/own\n'
  const cgroups = machineCgroups('holdfast-x', {
    mounts: () => `c ${root}/cpu cgroup rw,cpu,cpuacct 0 0\nc ${root}/memory cgroup rw,memory 0 0\n`,
    membership: () => membership,
  })
  expect(cgroups.note).toBeNull()
  const group = cgroups.create('web-1', limits)
  expect(read('cpu/own/holdfast-x/web-1/cpu.cfs_quota_us')).toBe('50000')
  expect(read('memory/own/holdfast-x/web-1/memory.limit_in_bytes')).toBe('67108864')
  expect(group?.joinFiles).toHaveLength(2)
  const memory = join(root, 'memory/own/holdfast-x/web-1')
  writeFileSync(join(memory, 'memory.usage_in_bytes'), '1000\n')
  writeFileSync(join(memory, 'memory.stat'), 'cache 1\ntotal_inactive_file 300\n')
  writeFileSync(join(memory, 'memory.oom_control'), 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n')
  writeFileSync(join(memory, 'cgroup.procs'), '12\n13\n')
  expect([group?.memoryBytes(), group?.outOfMemoryKills(), group?.cpuMs()]).toEqual([700, 2, null])
  writeFileSync(join(root, 'cpu/own/holdfast-x/web-1/cpu.cfs_period_us'), '100000\n')
  expect(group?.limits()).toEqual(limits)
  writeFileSync(join(memory, 'memory.limit_in_bytes'), '9223372036854771712\n')
  writeFileSync(join(root, 'cpu/own/holdfast-x/web-1/cpu.cfs_quota_us'), '-1\n')
  expect(group?.limits()).toEqual({ memoryMiB: null, cpus: null })
  expect(cgroups.find(12, 'web-1')).toBeNull()
  membership = '1:cpu,cpuacct:/own/holdfast-x/web-1\n2:memory:/own/holdfast-x/web-1\n'
  expect(cgroups.find(12, 'web-1')?.pids()).toEqual([12, 13])
})

test('version 2: controllers are handed on, limits written, a group found again', () => {
  writeFileSync(join(root, 'cgroup.subtree_control'), 'cpu memory pids\n')
  let membership = '0::/\n'
  const cgroups = machineCgroups('holdfast-x', {
    mounts: () => `c ${root} cgroup2 rw 0 0\n`,
    membership: () => membership,
  })
  const group = cgroups.create('web-1', { memoryMiB: null, cpus: 2 })
  expect(read('holdfast-x/cgroup.subtree_control')).toBe('+cpu +memory')
  expect(read('holdfast-x/web-1/cpu.max')).toBe('200000 100000')
  expect(read('holdfast-x/web-1/memory.max')).toBe('max')
  writeFileSync(join(root, 'holdfast-x/web-1/cpu.stat'), 'usage_usec 2500\nuser_usec 1\n')
  expect(group?.cpuMs()).toBe(2.5)
  membership = '0::/holdfast-x/web-1\n'
  expect(cgroups.find(1, 'web-1')?.cpuMs()).toBe(2.5)
  expect(cgroups.find(1, 'web-2')).toBeNull()
})

test('where nothing can be written there are no groups, and that is said', () => {
  const files = { mounts: () => `c ${root}/none cgroup2 rw 0 0\n`, membership: () => '0::/\n' }
  const cgroups = machineCgroups('holdfast-x', files)
  expect(cgroups.create('web-1', limits)).toBeNull()
  expect(cgroups.note).toContain('not writable')
  const broken = (): string => {
    throw new Error('no /proc')
  }
  expect(machineCgroups('holdfast-x', { mounts: broken, membership: broken }).note).toContain('no cgroups')
})
