import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { groupOf, replicaStatusOf, specificationOf } from '../../../test/support/environment/replicas.ts'
import type { Group } from '../../capabilities/environment/ports.ts'
import type { ReplicaStatus } from '../../contracts/supervisor.ts'
import { contentHash } from '../../kernel/std/index.ts'
import { allocate } from './allocate.ts'

const specification = (release: string) => specificationOf({ release })

function present(slot: number, release: string, leaving = false): ReplicaStatus {
  const specHash = contentHash(specification(release))
  return replicaStatusOf({ id: `web/${slot}`, leaving, specHash, release, pid: slot, port: 3000 + slot })
}

const group = (release: string, replicas: number, change: Partial<Group> = {}): Group =>
  groupOf(specification(release), replicas, change)

const ids = ({ replicas }: { replicas: readonly { id: string }[] }): string[] => replicas.map(({ id }) => id)

describe('slots', () => {
  test('are the smallest that are free, and kept', () => {
    expect(ids(allocate([group('1', 2)], []))).toEqual(['web/1', 'web/2'])
    expect(ids(allocate([group('1', 3)], [present(2, '1')]))).toEqual(['web/2', 'web/1', 'web/3'])
  })

  test('of another group are not taken, nor those of replicas on their way out', () => {
    const there = [present(1, '1'), present(2, '1', true)]
    const both = allocate([group('2', 1), group('1', 1, { specification: null })], there)
    expect(ids(both)).toEqual(['web/3'])
    expect(both.keep).toEqual(['web/1'])
  })

  test('those that are to go go first', () => {
    const there = [present(1, '1'), present(2, '1'), present(3, '1')]
    expect(ids(allocate([group('1', 2, { leaving: ['web/1'] })], there))).toEqual(['web/2', 'web/3'])
    expect(
      allocate([group('1', 1, { specification: null, leaving: ['web/1', 'web/3'] })], there).keep,
    ).toEqual(['web/2'])
  })

  test('are never given twice, and asking again gives the same', () => {
    const slots = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 8 })
    fc.assert(
      fc.property(slots, fc.nat(5), fc.nat(5), (taken, olds, news) => {
        const there = taken.map((slot, index) => present(slot, index % 3 === 0 ? '2' : '1', index % 4 === 3))
        const asked = [group('2', news), group('1', olds, { specification: null })]
        const given = allocate(asked, there)
        const all = [...ids(given), ...given.keep]
        expect(new Set(all).size).toBe(all.length)
        expect(ids(given)).toHaveLength(news)
        const after = [
          ...there.filter(({ id }) => all.includes(id)),
          ...ids(given)
            .filter((id) => !there.some((one) => one.id === id))
            .map((id) => present(Number(id.slice(4)), '2')),
        ]
        expect(new Set(ids(allocate(asked, after)))).toEqual(new Set(ids(given)))
      }),
    )
  })
})
