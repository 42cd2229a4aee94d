import { expect, test } from 'vitest'
import type { RunHistory } from '../../contracts/index.ts'
import { createPaper } from '../output/index.ts'
import { runViews } from './runs.ts'

const nowMs = Date.UTC(2026, 2, 14, 12)
const paper = createPaper({ terminal: false, colour: false, nowMs })
const failed: RunHistory['runs'][number] = {
  job: 'tidy',
  run: 'a',
  at: nowMs - 5000,
  by: 'holdfast',
  why: 'schedule nightly',
  outcome: 'failed',
  says: 'exit code 1',
  seconds: 2.2,
  lastLines: ['one', '\u001b[31mthe database is locked'],
}
const history: RunHistory = {
  says: 'The last run: tidy failed',
  jobs: ['tidy'],
  schedules: [],
  runs: [failed],
}
const draw = (more: Partial<RunHistory>): string =>
  runViews['environment.runs']({ ...history, ...more }, paper).join('\n')

test('a run that failed is shown with its last words, made harmless', () => {
  const said = draw({})
  expect(said).toMatch(/5 s ago +tidy +failed +2\.2 s +holdfast +schedule nightly +exit code 1/)
  expect(said).toContain('the last words of tidy:\n  | one\n  | ')
  expect(said).not.toContain('\u001b')
})

test('a schedule says when it is next, and what is not there is not drawn', () => {
  const nightly = { schedule: 'nightly', job: 'tidy', at: '0 4 * * *', zone: 'UTC', next: null }
  expect(draw({ schedules: [nightly], runs: [] })).toMatch(/nightly +tidy +0 4 \* \* \* +UTC +never/)
  expect(draw({ jobs: [], runs: [] })).toBe('The last run: tidy failed\nthe environment file names no job')
})
