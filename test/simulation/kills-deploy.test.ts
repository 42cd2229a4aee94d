import { describe, test } from 'vitest'
import { again, cancelled, killEverywhere, once, tooOften } from './kills/kill-everywhere.ts'
import {
  aCancelledDeploy,
  aDeploy,
  aDeployGivenUp,
  aForgottenDeploy,
  aRefusedDeploy,
  aRollback,
  aStoppedDeploy,
} from './kills/scenarios.ts'

const timeout = 180_000

describe('control killed at every step of', () => {
  test('a deploy', { timeout }, () => killEverywhere(aDeploy, once))
  test('a deploy that is given up', { timeout }, () => killEverywhere(aRefusedDeploy, once))
  test('a deploy whose migration fails', { timeout }, () => killEverywhere(aStoppedDeploy, once))
  test('a roll-back', { timeout }, () => killEverywhere(aRollback, once))
  test('a deploy, and the engine forgets what ran', { timeout }, () => killEverywhere(aForgottenDeploy, once))
  test('a deploy, four times', { timeout }, () => killEverywhere(aDeploy, again))
  test('a deploy, until its job is given up', { timeout }, () => killEverywhere(aDeployGivenUp, tooOften))
  test('a deploy that somebody cancels then', { timeout }, () => killEverywhere(aCancelledDeploy, cancelled))
})
