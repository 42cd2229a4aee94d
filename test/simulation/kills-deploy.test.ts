import { test } from 'vitest'
import { killEverywhere } from './kills/kill-everywhere.ts'
import { aDeploy, aRefusedDeploy, aRollback, aStoppedDeploy } from './kills/scenarios.ts'

const timeout = 120_000

test('control killed at every step of a deploy', { timeout }, () => killEverywhere(aDeploy))
test('control killed at every step of a deploy that is given up', { timeout }, () =>
  killEverywhere(aRefusedDeploy),
)
test('control killed at every step of a deploy whose migration fails', { timeout }, () =>
  killEverywhere(aStoppedDeploy),
)
test('control killed at every step of a roll-back', { timeout }, () => killEverywhere(aRollback))
