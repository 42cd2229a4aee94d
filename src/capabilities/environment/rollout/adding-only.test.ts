import { describe, expect, test } from 'vitest'
import type { Group } from '../ports.ts'
import { neverFewer } from './adding-only.ts'

const here = (service: string, specHash: string, leaving = false) => ({ service, specHash, leaving })
const group = (service: string, hash: string, replicas: number): Group => ({
  service,
  hash,
  specification: null,
  replicas,
  leaving: [],
})

describe('what only adds', () => {
  test('starts new groups and lets those that are not asked for go on', () => {
    const running = [here('web', 'old'), here('web', 'old'), here('gone', 'x')]
    expect(neverFewer([group('web', 'new', 1), group('web', 'old', 2)], running)).toEqual([
      group('web', 'new', 1),
      group('web', 'old', 2),
      group('gone', 'x', 1),
    ])
  })

  test('makes no group smaller, and lets nobody go', () => {
    const running = [here('web', 'a'), here('web', 'a'), here('web', 'a', true)]
    expect(neverFewer([{ ...group('web', 'a', 1), leaving: ['web/2'] }], running)).toEqual([
      group('web', 'a', 2),
    ])
    expect(neverFewer([group('web', 'a', 3)], running)).toEqual([group('web', 'a', 3)])
  })

  test('leaves alone what is on its way out', () => {
    expect(neverFewer([], [here('web', 'a', true)])).toEqual([])
  })
})
