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

/** What a step costs, where it costs more or less than before. */
function amountsLine({ replicas, memoryMiB }: PlanStep): string {
  const say = ({ before, after }: PlanStep['replicas'], unit: string): readonly string[] =>
    before === after ? [] : [`${before ?? 'no'} -> ${after ?? 'no'} ${unit}`]
  return [...say(replicas, 'replicas'), ...say(memoryMiB, 'MiB of memory at most')].join(', ')
}

function stepLines(step: PlanStep, paper: Paper): readonly string[] {
  const [sign, tone] = signs[step.verb]
  const lost = step.destroys ? paper.paint('bad', '  its data would be lost') : ''
  const amounts = amountsLine(step)
  const whole = step.verb === 'create' || step.verb === 'remove'
  const differences = whole ? [] : step.differences
  return [
    `  ${paper.paint(tone, `${sign} ${harmless(step.object)}`)}  ${paper.paint('dim', harmless(step.says))}${lost}`,
    ...(amounts === '' ? [] : [paper.paint('dim', `      ${amounts}`)]),
    ...differences.flatMap((difference) => differenceLines(difference, paper)),
  ]
}

const sayDifference = (difference: number, less: 'fewer' | 'less'): string =>
  difference === 0 ? '' : ` (${Math.abs(difference)} ${difference > 0 ? 'more' : less})`

function sayCount({ before, after }: { readonly before: number; readonly after: number }): string {
  return before === after ? String(after) : `${before} -> ${after}`
}

function amountLine({ replicas, memoryMiB }: EnvironmentPlan): string {
  const counted = `replicas: ${sayCount(replicas)}${sayDifference(replicas.difference, 'fewer')}`
  const { before, after, difference, left, machine } = memoryMiB
  if (before === 0 && after === 0) return `${counted}, none with a bound on memory`
  const free = left < 0 ? `${-left} MiB more than this machine has` : `${left} of ${machine} MiB left`
  const others = replicas.unbounded === 0 ? '' : `, and ${replicas.unbounded} without a bound`
  return `${counted}; memory: up to ${sayCount(memoryMiB)} MiB${sayDifference(difference, 'less')}${others}, ${free}`
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
