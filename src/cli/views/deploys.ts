import type { DeployHistory } from '../../contracts/index.ts'
import { harmless, sayAgo, table, type Paper, type Tone } from '../output/index.ts'
import type { Views } from './view.ts'

const tones: Readonly<Record<DeployHistory['deploys'][number]['outcome'], Tone>> = {
  deployed: 'good',
  'rolled back': 'bad',
  'under way': 'warning',
}

const columns = [
  { title: 'WHEN' },
  { title: 'SERVICE' },
  { title: 'RELEASE' },
  { title: 'BEFORE' },
  { title: 'BY' },
  { title: 'OUTCOME' },
  { title: '' },
] as const

function historyLines({ says, deploys, releases, locks }: DeployHistory, paper: Paper): readonly string[] {
  const rows = deploys.map((deploy) => [
    sayAgo(deploy.at, paper.nowMs),
    deploy.service,
    deploy.release,
    deploy.before,
    harmless(deploy.by),
    paper.paint(tones[deploy.outcome], deploy.outcome),
    harmless(deploy.note === '' ? deploy.says : `${deploy.note}; ${deploy.says}`),
  ])
  const kept = releases
    .filter((each) => each.kept.length > 0)
    .map(({ service, running, kept: all }) => {
      const names = all.map(({ release, goesNext }) => (goesNext ? `${release} (goes next)` : release))
      return `${service} runs ${running || 'no release'}; kept: ${names.join(', ')}`
    })
  return [
    paper.paint('strong', says),
    ...(rows.length === 0 ? [] : ['', ...table(columns, rows, paper)]),
    ...(kept.length === 0 ? [] : ['', ...kept]),
    ...locks.map(({ service, by, because }) => {
      const what = service === '*' ? 'all services' : service
      return paper.paint('warning', `deploys of ${what} are locked by ${harmless(by)}: ${harmless(because)}`)
    }),
  ]
}

const sayEnd = ({ says, seconds }: { says: string; seconds: number }): readonly string[] => [
  `${harmless(says)}, after ${seconds} s`,
]

/** How deploys are drawn. */
export const deployViews = {
  'environment.deploys': historyLines,
  'environment.deploy': sayEnd,
  'environment.rollback': sayEnd,
  'environment.lock-deploys': ({ says }) => [harmless(says)],
  'environment.unlock-deploys': ({ says }) => [harmless(says)],
} satisfies Views
