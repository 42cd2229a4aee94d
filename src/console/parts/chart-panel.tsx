import { lazy, Suspense, useState, type ReactNode } from 'react'
import { describeChart, sayValue, valueAt, type Chart } from '../charts/chart.ts'
import { sayMoment } from '../words/format.ts'
import { Boundary } from './boundary.tsx'

const ChartCanvas = lazy(async () => ({ default: (await import('./chart-canvas.tsx')).ChartCanvas }))

/** A chart under its legend, which reads out the latest values, or those under the pointer. */
export function ChartPanel(props: {
  readonly chart: Chart
  /** False until the first answer. */
  readonly ready: boolean
  readonly aside?: ReactNode
  readonly low?: boolean
}): ReactNode {
  const { chart } = props
  const [at, setAt] = useState<number | null>(null)
  const empty = chart.lines.every((line) => line.points.length === 0)
  return (
    <figure className={`chart ${props.low === true ? 'chart-low' : ''}`}>
      <figcaption>
        <span className="chart-title">{chart.title}</span>
        <Legend chart={chart} at={at} />
        {props.aside}
      </figcaption>
      <div className="chart-area" role="img" aria-label={describeChart(chart)}>
        {props.ready && !empty && (
          <Boundary instead={<p className="chart-empty">The chart did not load; its values are above.</p>}>
            <Suspense fallback={null}>
              <ChartCanvas chart={chart} onPoint={setAt} />
            </Suspense>
          </Boundary>
        )}
        {props.ready && empty && <p className="chart-empty">Nothing was measured in this time.</p>}
      </div>
    </figure>
  )
}

function Legend({ chart, at }: { chart: Chart; at: number | null }): ReactNode {
  return (
    <span className="legend">
      {chart.lines.map((line) => (
        <span key={line.name} className="legend-line">
          <svg className={`swatch tone-${line.tone}`} viewBox="0 0 16 4" aria-hidden="true">
            <path d="M0 2h16" strokeDasharray={line.dashed === true ? '4 2' : undefined} />
          </svg>
          {line.name} <b>{sayValue(at === null ? line.points.at(-1)?.[1] : valueAt(line, at), chart.unit)}</b>
        </span>
      ))}
      {at !== null && <span className="legend-at">{sayMoment(at).slice(11)}</span>}
    </span>
  )
}
