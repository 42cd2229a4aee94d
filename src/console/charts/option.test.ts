import { expect, test } from 'vitest'
import { describeChart, sayValue, valueAt, type Chart } from './chart.ts'
import { chartOption, type ChartTheme } from './option.ts'

const theme: ChartTheme = {
  ink: '#111',
  faint: '#777',
  hairline: '#ddd',
  tones: { lead: '#0b6e6a', bite: '#9a5b00', bad: '#b3261e', quiet: '#999', other: '#456' },
  font: 'sans-serif',
  still: true,
}

const chart: Chart = {
  title: 'Requests per second',
  unit: 'per-second',
  from: 0,
  to: 10_000,
  lines: [
    {
      name: 'served',
      tone: 'lead',
      filled: true,
      points: [
        [1000, 5],
        [2000, 412],
        [3000, 8],
      ],
    },
    { name: 'refused', tone: 'bite', dashed: true, points: [] },
  ],
}

test('the option is plain data in the colours of the theme', () => {
  const option = chartOption(chart, theme) as unknown as {
    series: { name: string; data: unknown; lineStyle: { color: string; type: unknown }; areaStyle?: object }[]
    tooltip: { showContent: boolean }
  }
  expect(option.series.map((line) => [line.name, line.lineStyle.color])).toEqual([
    ['served', '#0b6e6a'],
    ['refused', '#9a5b00'],
  ])
  expect(option.series[0]?.areaStyle).toBeDefined()
  expect(option.series[1]?.lineStyle.type).not.toBe('solid')
  // The tooltip of ECharts writes HTML; the console reads values out itself.
  expect(option.tooltip.showContent).toBe(false)
})

test('no label of time stands so near to the rim that it would be cut', () => {
  const labels = (from: number, to: number, at: readonly number[]): boolean[] => {
    const option = chartOption({ ...chart, from, to }, theme) as unknown as {
      xAxis: { axisLabel: { formatter: (at: number) => string } }
    }
    return at.map((each) => option.xAxis.axisLabel.formatter(each) !== '')
  }
  expect(labels(0, 300_000, [20_000, 40_000, 260_000, 290_000])).toEqual([false, true, true, false])
  expect(labels(0, 3_600_000, [150_000, 300_000, 3_300_000])).toEqual([false, true, true])
})

test('a chart says itself in a sentence', () => {
  expect(describeChart(chart)).toBe(
    'Requests per second. served: 8.0/s now, 412/s at most; refused: nothing measured.',
  )
})

test('a value is read at or before the moment', () => {
  const [line] = chart.lines
  if (line === undefined) throw new Error('no line')
  expect([999, 1000, 2999, 9000].map((at) => valueAt(line, at))).toEqual([null, 5, 412, 8])
  expect(sayValue(null, 'bytes')).toBe('–')
})
