import type { RunHistory } from '../../contracts/index.ts'
import { harmless, sayAgo, sayMoment, table, type Paper, type Tone } from '../output/index.ts'
import type { Views } from './view.ts'

const tones: Readonly<Record<RunHistory['runs'][number]['outcome'], Tone>> = {
  done: 'good',
  failed: 'bad',
  'under way': 'warning',
}

const scheduleColumns = [
  { title: 'SCHEDULE' },
  { title: 'JOB' },
  { title: 'AT' },
  { title: 'ZONE' },
  { title: 'NEXT' },
] as const

const runColumns = [
  { title: 'WHEN' },
  { title: 'JOB' },
  { title: 'OUTCOME' },
  { title: 'TOOK', align: 'right' },
  { title: 'BY' },
  { title: 'WHY' },
  { title: '' },
] as const

const lastWords = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => `  | ${harmless(line)}`)

function runRow({ at, job, outcome, seconds, by, why, says }: RunHistory['runs'][number], paper: Paper) {
  return [
    sayAgo(at, paper.nowMs),
    job,
    paper.paint(tones[outcome], outcome),
    seconds === null ? '' : `${seconds} s`,
    harmless(by),
    harmless(why),
    outcome === 'failed' ? harmless(says) : '',
  ]
}

function runsLines({ says, jobs, schedules, runs }: RunHistory, paper: Paper): readonly string[] {
  const planned = schedules.map(({ schedule, job, at, zone, next }) => [
    schedule,
    job,
    at,
    zone,
    next === null ? 'never' : sayMoment(next, paper.nowMs),
  ])
  const [last] = runs
  const failed = last?.outcome === 'failed' ? lastWords(last.lastLines) : []
  return [
    paper.paint('strong', says),
    ...(jobs.length === 0 ? ['the environment file names no job'] : [`jobs: ${jobs.join(', ')}`]),
    ...(planned.length === 0 ? [] : ['', ...table(scheduleColumns, planned, paper)]),
    ...(runs.length === 0
      ? []
      : [
          '',
          ...table(
            runColumns,
            runs.map((run) => runRow(run, paper)),
            paper,
          ),
        ]),
    ...(failed.length === 0 ? [] : ['', `the last words of ${last?.job}:`, ...failed]),
  ]
}

/** How jobs and schedules are drawn. */
export const runViews = {
  'environment.runs': runsLines,
  'environment.run': ({ job, code, seconds, lastLines }) => [
    `${job} ended with exit code ${code ?? 'unknown'}, after ${seconds} s`,
    ...lastWords(lastLines),
  ],
} satisfies Views
