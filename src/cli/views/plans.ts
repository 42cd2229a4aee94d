import type { Drift, EnvironmentPlan, PlanStep, RebuildResult } from '../../contracts/index.ts'
import { harmless, sayAgo, sayMoment, type Paper, type Tone } from '../output/index.ts'
import type { Views } from './view.ts'

const signs: Readonly<Record<PlanStep['verb'], readonly [sign: string, tone: Tone]>> = {
  create: ['+', 'good'],
  change: ['~', 'warning'],
  replace: ['~', 'warning'],
  scale: ['~', 'warning'],
  remove: ['-', 'bad'],
}

type Difference = PlanStep['differences'][number]

function differenceLines({ path, before, after }: Difference, paper: Paper): readonly string[] {
  const at = path === '' ? '' : `${harmless(path)}: `
  if (before === null) return [paper.paint('good', `      + ${at}${harmless(after ?? '')}`)]
  if (after === null) return [paper.paint('bad', `      - ${at}${harmless(before)}`)]
  return [
    paper.paint('bad', `      - ${at}${harmless(before)}`),
    paper.paint('good', `      + ${at}${harmless(after)}`),
  ]
}

function stepLines(step: PlanStep, paper: Paper): readonly string[] {
  const [sign, tone] = signs[step.verb]
  const lost = step.destroys ? paper.paint('bad', '  its data would be lost') : ''
  const whole = step.verb === 'create' || step.verb === 'remove'
  const differences = whole ? [] : step.differences
  return [
    `  ${paper.paint(tone, `${sign} ${harmless(step.object)}`)}  ${paper.paint('dim', harmless(step.says))}${lost}`,
    ...differences.flatMap((difference) => differenceLines(difference, paper)),
  ]
}

function amountLine({ replicas, memoryMiB }: EnvironmentPlan): string {
  const count = (before: number, after: number): string =>
    before === after ? String(after) : `${before} -> ${after}`
  const memory =
    memoryMiB.after === 0 && memoryMiB.before === 0
      ? ''
      : `, up to ${count(memoryMiB.before, memoryMiB.after)} MiB`
  return `replicas: ${count(replicas.before, replicas.after)}${memory}`
}

function planLines(plan: EnvironmentPlan, paper: Paper): readonly string[] {
  const says = paper.paint('strong', plan.says)
  const notes = plan.notes.map((note) => `note: ${harmless(note)}`)
  if (plan.steps.length === 0) return [says, ...notes]
  const destroy = plan.destroys.map((object) => ` --destroy "${harmless(object)}"`).join('')
  return [
    says,
    '',
    ...plan.steps.flatMap((step) => stepLines(step, paper)),
    '',
    amountLine(plan),
    ...notes,
    `to make it so: holdfast environment apply ${plan.hash}${destroy}`,
  ]
}

function driftLines({ says, items, notes }: Drift, paper: Paper): readonly string[] {
  const since = (at: number | null): string =>
    at === null ? '' : paper.paint('dim', `  (${sayAgo(at, paper.nowMs)})`)
  return [
    paper.paint('strong', says),
    ...items.map(
      (item) =>
        `  ${paper.paint('warning', harmless(item.object))}  ${harmless(item.says)}${since(item.since)}`,
    ),
    ...notes.map((note) => `note: ${harmless(note)}`),
  ]
}

function keptLines(kept: RebuildResult['kept'], paper: Paper): readonly string[] {
  if (kept === null) return []
  const { url, until, enter } = kept
  return [
    `It serves on ${url} until ${sayMoment(until, paper.nowMs)}.`,
    ...(enter === null ? [] : [`Reach it with: ${harmless(enter)} curl ${url}`]),
  ]
}

function rebuildLines(
  { says, phases, isolated, kept, notes }: RebuildResult,
  paper: Paper,
): readonly string[] {
  return [
    paper.paint('strong', harmless(says)),
    ...phases.map(({ name, seconds }) => `  ${name.padEnd(9)} ${seconds.toFixed(2).padStart(7)} s`),
    ...(isolated ? ['It had a network of its own, without a way out.'] : []),
    ...keptLines(kept, paper),
    ...notes.map((note) => paper.paint('warning', harmless(note))),
  ]
}

/** How plans are drawn. */
export const planViews = {
  'environment.plan': planLines,
  'environment.drift': driftLines,
  'environment.apply': ({ says }) => [harmless(says)],
  'environment.rebuild': rebuildLines,
  'environment.rebuild-remove': ({ says }) => [harmless(says)],
} satisfies Views
