import type { DeployHistory, RunHistory } from '../../../src/contracts/index.ts'

type Deploy = DeployHistory['deploys'][number]
type Run = RunHistory['runs'][number]

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** Groups of the service web; the second is the one that is on the way. */
export const groupsOfWeb = ['4c1e9a0711d28f53', 'b7d20f35a0c4e621'] as const

/** The job of the deploy that is under way in a world that rolls out. */
export const deployUnderWay = '019ac0de-0000-7000-8000-000000000001'

/** What was deployed, run and locked; changed by what is asked for. */
export interface Changes {
  /** Newest first. */
  readonly deploys: Deploy[]
  readonly runs: Run[]
  readonly locks: DeployHistory['locks']
  readonly releases: DeployHistory['releases']
  /** Whether the plan was applied. */
  isApplied: boolean
  /** What is wrong with the environment file; empty: nothing. */
  trouble: string
}

function pastDeploys(now: number): Deploy[] {
  const common = { service: 'web', by: 'person:ada', source: 'its directory' }
  return [
    {
      ...common,
      job: 'deploy-3',
      release: '1.4.3',
      before: '1.4.2',
      at: now - 3 * hourMs,
      note: 'faster scores',
      outcome: 'rolled back',
      says: "8.3 % of its 412 requests failed, beside 0.1 % of the old one's",
    },
    {
      ...common,
      job: 'deploy-2',
      release: '1.4.2',
      before: '1.4.1',
      at: now - 26 * hourMs,
      by: 'token:ci',
      source: 'git:v1.4.2',
      note: '',
      outcome: 'deployed',
      says: '3122 requests, 0.0 % failed, p95 31 ms; took 14.2 s',
    },
    {
      ...common,
      job: 'deploy-1',
      service: 'mailer',
      release: '2.0.1',
      before: 'no release',
      at: now - 50 * hourMs,
      note: 'the first one',
      outcome: 'deployed',
      says: 'there were no requests to judge by; took 5.1 s',
    },
  ]
}

function pastRuns(now: number): Run[] {
  const schedule = { job: 'tidy', by: 'holdfast', why: 'schedule nightly' }
  const lastLines = ['scores: 1204 rows', 'sessions: 88 rows', 'tidied in 3.9 s']
  return [
    {
      ...schedule,
      run: 'a',
      at: now - 7 * hourMs,
      outcome: 'done',
      says: 'exit code 0',
      seconds: 4.1,
      lastLines,
    },
    {
      job: 'migrate',
      run: 'b',
      at: now - 26 * hourMs,
      by: 'token:ci',
      why: 'before 1.4.2 of web',
      outcome: 'done',
      says: 'exit code 0',
      seconds: 0.8,
      lastLines: [],
    },
    {
      ...schedule,
      run: 'c',
      at: now - 31 * hourMs,
      outcome: 'failed',
      says: 'exit code 1',
      seconds: 2.2,
      lastLines: ['scores: 1191 rows', 'Error: the database is locked'],
    },
  ]
}

type Releases = DeployHistory['releases'][number]

/** What a past is made from. */
interface Past {
  readonly isRollingOut: boolean
  /** Further services; none was ever deployed. */
  readonly others: readonly string[]
}

function pastReleases(now: number, { isRollingOut, others }: Past): Releases[] {
  const kept = (release: string, agoMs: number, more: Partial<Releases['kept'][number]> = {}) => ({
    release,
    at: now - agoMs,
    source: `git:v${release} (9f31c25)`,
    files: 214,
    sizeBytes: 3_402_113 + Math.round(agoMs / 1000),
    image: null,
    good: true,
    goesNext: false,
    ...more,
  })
  return [
    {
      service: 'web',
      running: isRollingOut ? '1.5.0' : '1.4.2',
      image: null,
      kept: [
        ...(isRollingOut ? [kept('1.5.0', 9000, { good: false })] : []),
        kept('1.4.3', 3 * hourMs, { good: false }),
        kept('1.4.2', 26 * hourMs),
        kept('1.4.1', 71 * hourMs, { source: 'its directory' }),
        kept('1.4.0', 166 * hourMs, { goesNext: true }),
      ],
      most: 4,
      back: isRollingOut ? '1.4.2' : '1.4.1',
    },
    {
      service: 'mailer',
      running: '2.0.1',
      image: null,
      kept: [kept('2.0.1', 50 * hourMs)],
      most: 5,
      back: null,
    },
    ...others.map((service) => ({ service, running: '', image: null, kept: [], most: 5, back: null })),
  ]
}

/** The past of an environment, as seen at `now`; with a deploy under way when it rolls out. */
export function createChanges(now: number, past: Past): Changes {
  const { isRollingOut } = past
  const going: Deploy = {
    job: deployUnderWay,
    service: 'web',
    release: '1.5.0',
    before: '1.4.2',
    at: now - 9000,
    by: 'person:ada',
    note: 'chat in the lobby',
    source: 'git:v1.5.0',
    outcome: 'under way',
    says: '1.5.0 is on its way',
  }
  return {
    deploys: [...(isRollingOut ? [going] : []), ...pastDeploys(now)],
    runs: pastRuns(now),
    locks: [],
    releases: pastReleases(now, past),
    isApplied: false,
    trouble: '',
  }
}
