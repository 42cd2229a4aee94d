import { describe, expect, test } from 'vitest'
import { after, killEverywhere } from './kills/kill-everywhere.ts'
import { aDeploy, anApply, aRollback } from './kills/scenarios.ts'

const timeout = 180_000

describe.each(['edge', 'supervisor'] as const)('the %s killed at every step of', (victim) => {
  test('a deploy', { timeout }, async () => {
    expect(await killEverywhere({ ...aDeploy, victim }, after)).toEqual([])
  })
  test('a roll-back', { timeout }, async () => {
    expect(await killEverywhere({ ...aRollback, victim }, after)).toEqual([])
  })
  test('an apply', { timeout }, async () => {
    expect(await killEverywhere({ ...anApply, victim }, after)).toEqual([])
  })
})
