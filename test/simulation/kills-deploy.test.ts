import { describe, expect, test } from 'vitest'
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
  test('a deploy', { timeout }, async () => {
    expect(await killEverywhere(aDeploy, once)).toEqual([])
  })
  test('a deploy that is given up', { timeout }, async () => {
    expect(await killEverywhere(aRefusedDeploy, once)).toEqual([])
  })
  test('a deploy whose migration fails', { timeout }, async () => {
    expect(await killEverywhere(aStoppedDeploy, once)).toEqual([])
  })
  test('a roll-back', { timeout }, async () => {
    expect(await killEverywhere(aRollback, once)).toEqual([])
  })
  test('a deploy, and the engine forgets what ran', { timeout }, async () => {
    expect(await killEverywhere(aForgottenDeploy, once)).toEqual([])
  })
  test('a deploy, four times', { timeout }, async () => {
    expect(await killEverywhere(aDeploy, again)).toEqual([])
  })
  test('a deploy, until its job is given up', { timeout }, async () => {
    expect(await killEverywhere(aDeployGivenUp, tooOften)).toEqual([])
  })
  test('a deploy that somebody cancels then', { timeout }, async () => {
    expect(await killEverywhere(aCancelledDeploy, cancelled)).toEqual([])
  })
})
