import { LineChart } from 'echarts/charts'
import { GridComponent, TooltipComponent } from 'echarts/components'
import { init, use as register, type EChartsType } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { useEffect, useRef, type ReactNode } from 'react'
import type { Chart, Tone } from '../charts/chart.ts'
import { chartOption, type ChartTheme } from '../charts/option.ts'

register([LineChart, GridComponent, TooltipComponent, CanvasRenderer])

const variables: Readonly<Record<Tone | 'ink' | 'faint' | 'hairline', string>> = {
  lead: '--accent',
  bite: '--warn',
  bad: '--bad',
  quiet: '--ink-3',
  other: '--ink-2',
  ink: '--ink',
  faint: '--ink-3',
  hairline: '--line',
}

/** Reads the page's colours, resolved for the current scheme. */
function readTheme(): ChartTheme {
  const probe = document.createElement('span')
  document.body.append(probe)
  const color = (name: keyof typeof variables): string => {
    probe.style.color = `var(${variables[name]})`
    return getComputedStyle(probe).color
  }
  const tones = { lead: color('lead'), bite: color('bite'), bad: color('bad'), quiet: color('quiet') }
  const theme: ChartTheme = {
    ink: color('ink'),
    faint: color('faint'),
    hairline: color('hairline'),
    tones: { ...tones, other: color('other') },
    font: getComputedStyle(document.body).fontFamily,
    still: true,
  }
  probe.remove()
  return theme
}

/** Calls `changed` when the colours of the page change. */
function onScheme(changed: () => void): () => void {
  const query = matchMedia('(prefers-color-scheme: dark)')
  query.addEventListener('change', changed)
  const observer = new MutationObserver(changed)
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
  return () => {
    query.removeEventListener('change', changed)
    observer.disconnect()
  }
}

function watchPointer(drawing: EChartsType, onPoint: (at: number | null) => void): void {
  drawing.on('updateAxisPointer', (event) => {
    const [info] = (event as { axesInfo?: { value: number }[] }).axesInfo ?? []
    onPoint(info?.value ?? null)
  })
  drawing.getZr().on('globalout', () => onPoint(null))
}

/** The drawing itself; loaded when the first chart is seen. */
export function ChartCanvas(props: {
  readonly chart: Chart
  readonly onPoint: (at: number | null) => void
}): ReactNode {
  const host = useRef<HTMLDivElement>(null)
  const drawing = useRef<EChartsType | null>(null)
  const chart = useRef(props.chart)
  chart.current = props.chart

  useEffect(() => {
    const element = host.current
    if (element === null) return
    const made = init(element)
    drawing.current = made
    const draw = (): void => made.setOption(chartOption(chart.current, readTheme()), { notMerge: true })
    watchPointer(made, props.onPoint)
    draw()
    const observer = new ResizeObserver(() => made.resize())
    observer.observe(element)
    const forget = onScheme(draw)
    return () => {
      observer.disconnect()
      forget()
      made.dispose()
      drawing.current = null
    }
  }, [props.onPoint])

  useEffect(() => {
    drawing.current?.setOption(chartOption(props.chart, readTheme()), { replaceMerge: ['series'] })
  }, [props.chart])

  return <div ref={host} className="chart-canvas" />
}
