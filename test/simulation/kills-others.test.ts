import { describe, test } from 'vitest'
import { after, killEverywhere } from './kills/kill-everywhere.ts'
import { aDeploy, anApply, aRollback } from './kills/scenarios.ts'

const timeout = 180_000

describe.each(['edge', 'supervisor'] as const)('the %s killed at every step of', (victim) => {
  test('a deploy', { timeout }, () => killEverywhere({ ...aDeploy, victim }, after))
  test('a roll-back', { timeout }, () => killEverywhere({ ...aRollback, victim }, after))
  test('an apply', { timeout }, () => killEverywhere({ ...anApply, victim }, after))
})
