import { sayBytes, sayCpu, sayLatency, sayRate } from '../words/format.ts'

/** What a line's values mean; it decides how they are said. */
export type Unit = 'per-second' | 'per-minute' | 'milliseconds' | 'cores' | 'bytes'

/** A line's place in the reading: `lead` is what the chart is about, `bite` what is refused, `bad` what failed. */
export type Tone = 'lead' | 'bite' | 'bad' | 'quiet' | 'other'

/** One line: moments (milliseconds since the epoch) and values; null is a gap. */
export interface ChartLine {
  readonly name: string
  readonly tone: Tone
  readonly points: readonly (readonly [at: number, value: number | null])[]
  readonly dashed?: boolean
  readonly filled?: boolean
}

/** A chart as plain data, before it gets colours: drawn in the console and, later, in chat. */
export interface Chart {
  /** What it shows, for those who do not see it. */
  readonly title: string
  readonly unit: Unit
  readonly from: number
  readonly to: number
  readonly lines: readonly ChartLine[]
}

/** Says a value in the chart's unit; a dash for a gap. */
export function sayValue(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined) return '–'
  if (unit === 'milliseconds') return sayLatency(value)
  if (unit === 'cores') return sayCpu(value)
  if (unit === 'bytes') return sayBytes(value)
  return `${sayRate(value)}/${unit === 'per-minute' ? 'min' : 's'}`
}

/** The value of a line at a moment: the last point not after it. */
export function valueAt(line: ChartLine, at: number): number | null {
  let low = 0
  let high = line.points.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((line.points[middle]?.[0] ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return line.points[low - 1]?.[1] ?? null
}

/** The chart in one sentence, for screen readers: latest and highest of each line. */
export function describeChart(chart: Chart): string {
  const parts = chart.lines.map((line) => {
    const values = line.points.map(([, value]) => value).filter((value) => value !== null)
    if (values.length === 0) return `${line.name}: nothing measured`
    const [last, most] = [values.at(-1), values.reduce((a, b) => Math.max(a, b), 0)]
    return `${line.name}: ${sayValue(last, chart.unit)} now, ${sayValue(most, chart.unit)} at most`
  })
  return `${chart.title}. ${parts.join('; ')}.`
}
