import { expect, test } from 'vitest'
import { isAlive } from './members.ts'
import { machineProcesses, parsePsLine, parseStat } from './process-table.ts'

const machine = { bootId: 'boot', bootedAt: 1_000_000, pageBytes: 4096 }

test('a stat line is read although the name holds spaces and parentheses', () => {
  const line =
    '4242 (a) b (c) S 17 4242 4240 0 -1 4194560 100 0 0 0 25 5 0 0 20 0 1 0 98765 1000 12 18446744073709551615 1 1'
  expect(parseStat(line, machine)).toEqual({
    pid: 4242,
    parent: 17,
    group: 4242,
    session: 4240,
    zombie: false,
    frozen: false,
    birth: 'boot:98765',
    startedAt: 1_000_000 + 987_650,
    cpuMs: 300,
    residentBytes: 12 * 4096,
  })
})

test('a zombie is seen as one, garbage is nothing', () => {
  const zombie = '7 (x) Z 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0 0'
  expect(parseStat(zombie, machine)?.zombie).toBe(true)
  const dying = '7 (x) Z 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 5 0 0 0'
  expect(parseStat(dying, machine)?.zombie).toBe(false)
  expect(parseStat('', machine)).toBeUndefined()
  expect(parseStat('12 (short) S 1', machine)).toBeUndefined()
})

test('a line of ps is read', () => {
  const entry = parsePsLine('  501     1   501 Ss   2048   1:02:03.50 Mon Jan  5 10:00:00 2026')
  expect(entry).toMatchObject({ pid: 501, parent: 1, group: 501, cpuMs: 3_723_500, residentBytes: 2_097_152 })
  expect(entry?.birth).toBe('Mon Jan  5 10:00:00 2026')
  expect(parsePsLine('nonsense')).toBeUndefined()
})

test('we find ourselves, and only under our own birth', () => {
  const table = machineProcesses()
  const self = table.read(process.pid)
  expect(table.list().some((entry) => entry.pid === process.pid)).toBe(true)
  expect(self?.parent).toBe(process.ppid)
  expect(Math.abs((self?.residentBytes ?? 0) / process.memoryUsage().rss - 1)).toBeLessThan(0.5)
  expect(isAlive(table, process.pid, self?.birth ?? '')).toBe(true)
  expect(isAlive(table, process.pid, 'another')).toBe(false)
  expect(table.variable(process.pid, 'PATH')).toBe(process.env['PATH'])
})
