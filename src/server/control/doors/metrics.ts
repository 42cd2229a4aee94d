import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { House, ObservedCall } from '../house.ts'

/** Measures of control in Prometheus' text format. */
export interface Metrics {
  observe(call: ObservedCall): void
  /** Errors: whatever the timeline throws. */
  text(house: House): Promise<string>
  readonly contentType: string
}

/** So many names of operations get lines of their own; strangers ask for any name. */
const unknownName = '(unknown)'

/** Creates the measures; `names` are the operations that there are. */
export function createMetrics(names: () => readonly string[]): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, prefix: 'holdfast_control_' })
  const calls = new Counter({
    name: 'holdfast_operations_calls_total',
    help: 'Calls of operations by outcome: done, refused, or an error code',
    labelNames: ['operation', 'outcome'],
    registers,
  })
  const durations = new Histogram({
    name: 'holdfast_operations_call_seconds',
    help: 'Seconds until the answer of a call stood',
    labelNames: ['operation'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  })
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers })
  const head = gauge('holdfast_timeline_head_sequence', 'Sequence number of the newest fact')
  const running = gauge('holdfast_jobs_running', 'Jobs that run')
  const waiting = gauge('holdfast_jobs_waiting', 'Jobs that wait for their turn')
  const dropped = gauge('holdfast_series_dropped', 'Measurements dropped because a bound was reached')
  return {
    contentType: registry.contentType,
    observe: ({ operation: asked, outcome, durationMs }) => {
      const operation = names().includes(asked) ? asked : unknownName
      calls.inc({ operation, outcome })
      durations.observe({ operation }, durationMs / 1000)
    },
    text: async (house) => {
      head.set((await house.context.timeline.head())?.sequence ?? 0)
      const counts = house.jobs.counts()
      running.set(counts.running)
      waiting.set(counts.waiting)
      dropped.set(house.context.series.dropped)
      return registry.metrics()
    },
  }
}
