import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatDuration, parseDuration, parseSize, sayDuration, saySize } from './index.ts'

it.each([
  ['250ms', 250],
  ['10s', 10_000],
  ['1.5s', 1500],
  ['5min', 300_000],
  ['5 m', 300_000],
  ['1h', 3_600_000],
  ['hour', undefined],
  ['7d', 604_800_000],
  [' 2w ', 1_209_600_000],
  ['1day', 86_400_000],
  ['5', undefined],
  ['-5s', undefined],
  ['5 parsecs', undefined],
  ['5constructor', undefined],
  ['', undefined],
])('reads the duration %j as %s ms', (text, durationMs) => {
  expect(parseDuration(text)).toBe(durationMs)
})

it('prints a duration so that it reads back the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e12 }), (durationMs) => {
      expect(parseDuration(formatDuration(durationMs))).toBe(durationMs)
    }),
  )
  expect([90_000, 3_600_000, 120_000, 1, 172_800_000].map(formatDuration)).toEqual([
    '90s',
    '1h',
    '2min',
    '1ms',
    '2d',
  ])
})

it.each([
  [412, '412 ms'],
  [3210, '3.2 s'],
  [59_400, '59 s'],
  [300_000, '5 min'],
  [7_200_000, '2 h'],
  [259_200_000, '3 days'],
])('says %s ms as %s', (durationMs, said) => {
  expect(sayDuration(durationMs)).toBe(said)
})

it.each([
  ['512KiB', 524_288],
  ['10MiB', 10_485_760],
  ['1.5 GiB', 1_610_612_736],
  ['7B', 7],
  ['1TiB', 2 ** 40],
  ['10MB', undefined],
  ['MiB', undefined],
  ['10', undefined],
])('reads the size %j as %s bytes', (text, sizeBytes) => {
  expect(parseSize(text)).toBe(sizeBytes)
})

it.each([
  [0, '0 B'],
  [412, '412 B'],
  [3_355_443, '3.2 MiB'],
  [150 * 1024, '150 KiB'],
  [5 * 2 ** 40, '5.0 TiB'],
  [5000 * 2 ** 40, '5000 TiB'],
])('says %s bytes as %s', (sizeBytes, said) => {
  expect(saySize(sizeBytes)).toBe(said)
})
