import { describe, expect, test } from 'vitest'
import { again, killEverywhere, once } from './kills/kill-everywhere.ts'
import { aFailedApply, anApply } from './kills/scenarios.ts'

const timeout = 180_000

describe('control killed at every step of', () => {
  test('an apply', { timeout }, async () => {
    expect(await killEverywhere(anApply, once)).toEqual([])
  })
  test('an apply of which a service is no good', { timeout }, async () => {
    expect(await killEverywhere(aFailedApply, once)).toEqual([])
  })
  test('an apply, four times', { timeout }, async () => {
    expect(await killEverywhere(anApply, again)).toEqual([])
  })
})
