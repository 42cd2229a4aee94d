import { expect, test } from 'vitest'
import { phasesOf, type DeployScene } from './phases.ts'

const deploying = { operation: 'environment.deploy', share: 0.1 }
const underWay = { outcome: 'under way' as const }
const now = (scene: DeployScene): string => {
  const phases = phasesOf(scene)
  expect(phases.filter(({ state }) => state === 'now')).toHaveLength(1)
  const at = phases.findIndex(({ state }) => state === 'now')
  expect(phases.every(({ state }, index) => index === at || state === (index < at ? 'done' : 'next'))).toBe(
    true,
  )
  return phases[at]?.name ?? ''
}

test.each([
  [undefined, undefined, 'Files stored, jobs before it'],
  [underWay, 'waiting', 'First new replicas start'],
  [underWay, 'starting', 'First new replicas start'],
  [underWay, 'judging', 'Judged beside the old'],
  [underWay, 'moving', 'The others follow'],
  [{ outcome: 'deployed' as const }, 'steady', 'Jobs after it'],
] as const)('a deploy %j of a service that is %s', (deploy, phase, name) => {
  expect(now({ job: deploying, deploy, service: phase && { phase } })).toBe(name)
})

test('a service that is steady has not begun, or is done', () => {
  const service = { phase: 'steady' as const }
  expect(now({ job: { ...deploying, share: 0 }, deploy: underWay, service })).toBe('First new replicas start')
  expect(now({ job: { ...deploying, share: 0.8 }, deploy: underWay, service })).toBe('The others follow')
})

test('a roll-back is neither prepared nor judged', () => {
  const job = { operation: 'environment.rollback', share: 0.5 }
  expect(phasesOf({ job, deploy: undefined, service: undefined }).map(({ name }) => name)).toEqual([
    'First new replicas start',
    'The others follow',
  ])
  expect(now({ job, deploy: undefined, service: undefined })).toBe('First new replicas start')
  expect(now({ job, deploy: { outcome: 'deployed' }, service: { phase: 'steady' } })).toBe(
    'The others follow',
  )
})
