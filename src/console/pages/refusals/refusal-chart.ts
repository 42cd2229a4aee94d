import type { Chart } from '../../charts/chart.ts'

interface Step {
  readonly at: number
  readonly refused: number
  readonly admitted: number
}

/** What limits refused, and what they admitted to the same subjects, per second. */
export function refusalChart(
  steps: readonly Step[],
  stepMs: number,
  { title, from, to }: Pick<Chart, 'title' | 'from' | 'to'>,
): Chart {
  const points = (of: (step: Step) => number): [number, number][] =>
    steps.map((step) => [step.at, (1000 * of(step)) / stepMs])
  return {
    title,
    unit: 'per-second',
    from,
    to,
    lines: [
      { name: 'refused', tone: 'bite', filled: true, points: points(({ refused }) => refused) },
      { name: 'admitted to the same', tone: 'quiet', points: points(({ admitted }) => admitted) },
    ],
  }
}

const minuteMs = 60_000

/** Minutes with nothing in them are left out by those who count; a chart needs them. */
export function everyMinute(minutes: readonly Step[], from: number, to: number): readonly Step[] {
  const known = new Map(minutes.map((step) => [Math.floor((step.at - from) / minuteMs), step]))
  const count = Math.min(240, Math.max(1, Math.ceil((to - from) / minuteMs)))
  return Array.from({ length: count }, (_, index) => {
    const { refused = 0, admitted = 0 } = known.get(index) ?? {}
    return { at: from + index * minuteMs, refused, admitted }
  })
}
