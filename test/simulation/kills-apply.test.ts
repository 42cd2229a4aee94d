import { test } from 'vitest'
import { killEverywhere } from './kills/kill-everywhere.ts'
import { aFailedApply, anApply } from './kills/scenarios.ts'

const timeout = 120_000

test('control killed at every step of an apply', { timeout }, () => killEverywhere(anApply))
test('control killed at every step of an apply of which a service is no good', { timeout }, () =>
  killEverywhere(aFailedApply),
)
