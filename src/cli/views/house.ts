import type { Job, Operations } from '../../contracts/index.ts'
import { sayDuration } from '../../kernel/std/index.ts'
import {
  genericLines,
  harmless,
  pad,
  plural,
  sayAgo,
  sayMoment,
  table,
  type Paper,
  type Tone,
} from '../output/index.ts'
import type { Views } from './view.ts'

type Fact = Operations['timeline.follow']['output']
type Verified = Operations['timeline.verify']['output']

const severityTones: Readonly<Record<Fact['severity'], Tone>> = {
  info: 'dim',
  notice: 'plain',
  warning: 'warning',
  critical: 'bad',
}

/** One fact on one line: when, how bad, what happened, and who did it where that is somebody. */
function factLine(fact: Fact, paper: Paper): string {
  const who = fact.actor === 'holdfast' ? '' : paper.paint('dim', `  (${harmless(fact.actor)})`)
  const says = fact.data === null ? `${fact.kind}: erased` : fact.says
  return [
    paper.paint('dim', `${String(fact.sequence).padStart(6)}  ${sayMoment(fact.at, paper.nowMs)}`),
    paper.paint(severityTones[fact.severity], pad(fact.severity, 8)),
    `${harmless(says)}${who}`,
  ].join('  ')
}

function verifyLines({ checked, head, broken }: Verified, paper: Paper): readonly string[] {
  const facts = checked === 1 ? '1 fact was' : `${checked} facts were`
  if (broken !== null) {
    return [
      `${paper.paint('bad', 'broken')} at fact ${broken.sequence}: ${harmless(broken.why)}`,
      `${facts} whole before it`,
    ]
  }
  const anchor = head === null ? [] : [`anchor it outside: ${head.sequence}:${head.hash}`]
  return [`${paper.paint('good', 'whole')}: ${facts} checked`, ...anchor]
}

const jobTones: Readonly<Record<Job['state'], Tone>> = {
  waiting: 'warning',
  running: 'plain',
  done: 'good',
  failed: 'bad',
  cancelled: 'dim',
}

function jobRow(job: Job, paper: Paper): readonly string[] {
  const tookMs = (job.endedAt ?? paper.nowMs) - job.requestedAt
  const says = job.error === null ? job.says : `${job.error.message} (${job.error.code})`
  return [
    job.id,
    paper.paint(jobTones[job.state], job.state),
    `${Math.round(job.share * 100)}%`,
    job.operation,
    job.actor,
    sayAgo(job.requestedAt, paper.nowMs),
    sayDuration(Math.max(0, tookMs)),
    harmless(says),
  ]
}

const jobColumns = [
  { title: 'JOB' },
  { title: 'STATE' },
  { title: 'DONE', align: 'right' },
  { title: 'OPERATION' },
  { title: 'BY' },
  { title: 'REQUESTED' },
  { title: 'TOOK', align: 'right' },
  { title: '' },
] as const

function jobLines(job: Job, paper: Paper): readonly string[] {
  const hint = job.error?.hint ?? null
  return [
    ...table(jobColumns, [jobRow(job, paper)], paper),
    ...(hint === null ? [] : [`hint: ${harmless(hint)}`]),
    ...(job.result === null ? [] : ['', ...genericLines(job.result, paper)]),
  ]
}

function followedJob(job: Job, paper: Paper): readonly string[] {
  const state = paper.paint(jobTones[job.state], pad(job.state, 9))
  return [
    `${state} ${`${Math.round(job.share * 100)}%`.padStart(4)}  ${harmless(job.error?.message ?? job.says)}`,
  ]
}

const expiry = (expiresAt: number | null, paper: Paper): string =>
  expiresAt === null ? 'never' : sayMoment(expiresAt, paper.nowMs)

type Series = Operations['series.list']['output']['series'][number]

function seriesRow({ name, labels }: Series): readonly string[] {
  const written = Object.entries(labels).map(([label, value]) => `${label}=${value}`)
  return [name, harmless(written.join('  '))]
}

/** How the operations of the house are drawn. */
export const houseViews = {
  'timeline.read': ({ facts }, paper) =>
    facts.length === 0 ? ['no such facts'] : facts.map((fact) => factLine(fact, paper)),
  'timeline.follow': (fact, paper) => [factLine(fact, paper)],
  'timeline.verify': verifyLines,
  'timeline.head': ({ head }) => [head === null ? 'the timeline is empty' : `${head.sequence}:${head.hash}`],
  'timeline.export': ({ line }) => [line],
  'series.list': ({ series, dropped }, paper) => [
    ...table(
      [{ title: 'MEASURE' }, { title: 'LABELS' }],
      [...series].sort((a, b) => (a.name < b.name ? -1 : 1)).map(seriesRow),
      paper,
    ),
    ...(dropped === 0 ? [] : ['', `${plural(dropped, 'measurement')} dropped: out of bounds`]),
  ],
  'jobs.list': ({ jobs }, paper) =>
    jobs.length === 0
      ? ['no jobs yet']
      : table(
          jobColumns,
          jobs.map((job) => jobRow(job, paper)),
          paper,
        ),
  'jobs.get': jobLines,
  'jobs.cancel': jobLines,
  'jobs.follow': followedJob,
  'access.whoami': ({ actor, role }) => [`${actor}, who may ${role}`],
  'access.create-sign-in-link': ({ url, expiresAt }, paper) => [
    url,
    paper.paint('dim', `good once, until ${sayMoment(expiresAt, paper.nowMs)}`),
  ],
  'access.create-token': ({ name, token }, paper) => [
    token,
    paper.paint('dim', `token "${name}"; it is not shown again`),
  ],
  'access.list-tokens': ({ tokens }, paper) =>
    tokens.length === 0
      ? ['no tokens; make one with "holdfast tokens create <name> --role view"']
      : table(
          [{ title: 'TOKEN' }, { title: 'ROLE' }, { title: 'CREATED' }, { title: 'EXPIRES' }],
          tokens.map(({ name, role, createdAt, expiresAt }) => [
            name,
            role,
            sayMoment(createdAt, paper.nowMs),
            expiry(expiresAt, paper),
          ]),
          paper,
        ),
  'operations.list': ({ operations }, paper) =>
    table(
      [{ title: 'OPERATION' }, { title: 'ANSWERS' }, { title: 'NEEDS' }, { title: 'DANGER' }, { title: '' }],
      operations.map((each) => [
        each.name,
        each.answers,
        each.permitted ? each.permission : `${each.permission} (not yours)`,
        each.danger,
        each.summary,
      ]),
      paper,
    ),
} satisfies Views
