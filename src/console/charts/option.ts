import type { EChartsCoreOption } from 'echarts/core'
import { sayMinute, sayTime } from '../words/format.ts'
import { sayValue, type Chart, type ChartLine, type Tone, type Unit } from './chart.ts'

/** The colours and the font of a drawing. */
export interface ChartTheme {
  readonly ink: string
  readonly faint: string
  readonly hairline: string
  readonly tones: Readonly<Record<Tone, string>>
  readonly font: string
  /** Whether lines may move. */
  readonly still: boolean
}

const shortUnit = (value: number, unit: Unit): string =>
  value === 0 ? '0' : sayValue(value, unit).replace(/(\d)\.0(?=\D|$)/, '$1')

function lineSeries(line: ChartLine, theme: ChartTheme): object {
  const color = theme.tones[line.tone]
  return {
    type: 'line',
    name: line.name,
    data: line.points,
    showSymbol: false,
    silent: true,
    lineStyle: {
      width: line.tone === 'quiet' ? 1 : 1.5,
      color,
      type: line.dashed === true ? [4, 3] : 'solid',
      join: 'round',
    },
    itemStyle: { color },
    emphasis: { disabled: true },
    ...(line.filled === true && { areaStyle: { color, opacity: 0.08 } }),
  }
}

// Round steps of bytes are powers of two; for the rest ECharts finds round ones itself.
function valueSteps({ lines, unit }: Chart): object {
  if (unit !== 'bytes') return { splitNumber: 3 }
  const values = lines.flatMap((line) => line.points.map(([, value]) => value ?? 0))
  const most = values.reduce((a, b) => Math.max(a, b), 1)
  const interval = 2 ** Math.ceil(Math.log2(most / 3))
  return { interval, max: Math.ceil(most / interval) * interval }
}

function axes(chart: Chart, theme: ChartTheme): object {
  const label = { color: theme.faint, fontSize: 11, fontFamily: theme.font, hideOverlap: true }
  const seconds = chart.to - chart.from < 900_000
  const days = chart.to - chart.from > 90_000_000
  const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
  // Half the width of a label in a chart as narrow as on a phone.
  const edge = (chart.to - chart.from) / (seconds ? 11 : 18)
  const say = (at: number): string => {
    // A label at the rim would be cut.
    if (at < chart.from + edge || at > chart.to - edge) return ''
    if (days) return date.format(new Date(at))
    return seconds ? sayTime(at) : sayMinute(at)
  }
  return {
    xAxis: {
      type: 'time',
      min: chart.from,
      max: chart.to,
      splitNumber: 5,
      axisLine: { lineStyle: { color: theme.hairline } },
      axisTick: { show: false },
      axisLabel: { ...label, formatter: say, showMinLabel: false, showMaxLabel: false, margin: 8 },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      // At the right, where the newest values are; all charts of a page begin at the same left edge.
      position: 'right',
      min: 0,
      ...valueSteps(chart),
      axisLabel: {
        ...label,
        formatter: (value: number) => shortUnit(value, chart.unit),
        margin: 8,
        showMinLabel: false,
      },
      splitLine: { lineStyle: { color: theme.hairline, width: 1 } },
    },
  }
}

/** Draws a chart as an option of ECharts. */
export function chartOption(chart: Chart, theme: ChartTheme): EChartsCoreOption {
  return {
    animation: !theme.still,
    animationDuration: 0,
    animationDurationUpdate: 0,
    grid: { left: 0, right: 56, top: 12, bottom: 24, outerBoundsMode: 'none' },
    tooltip: {
      trigger: 'axis',
      showContent: false,
      axisPointer: { type: 'line', lineStyle: { color: theme.faint, width: 1, type: 'solid' }, snap: true },
    },
    ...axes(chart, theme),
    series: chart.lines.map((line) => lineSeries(line, theme)),
  }
}
