import { describe, test } from 'vitest'
import { again, killEverywhere, once } from './kills/kill-everywhere.ts'
import { aFailedApply, anApply } from './kills/scenarios.ts'

const timeout = 180_000

describe('control killed at every step of', () => {
  test('an apply', { timeout }, () => killEverywhere(anApply, once))
  test('an apply of which a service is no good', { timeout }, () => killEverywhere(aFailedApply, once))
  test('an apply, four times', { timeout }, () => killEverywhere(anApply, again))
})
