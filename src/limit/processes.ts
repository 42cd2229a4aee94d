import cluster from 'node:cluster'
import { printLimit, type LimitRule } from '../kernel/limit/index.ts'
import type { Entry } from './book.ts'

/** How many processes run the same program, as far as it can be known. */
export interface Processes {
  /** Null: several, nobody says how many. */
  readonly count: number | null
  /** Whether this one is the first of them, who speaks for all. */
  readonly isFirst: boolean
}

/** What tells of other processes. */
export interface Signs {
  readonly variables: Readonly<Record<string, string | undefined>>
  /** The number of this worker of a cluster, from 1; null: it is none. */
  readonly clusterWorker: number | null
}

/** The signs of this process. */
export function signsOfProcess(): Signs {
  return { variables: process.env, clusterWorker: cluster.worker?.id ?? null }
}

/** What a cluster, PM2 (`NODE_APP_INSTANCE`, `instances`) or `WEB_CONCURRENCY` say of the processes beside this one. */
export function detectProcesses({ variables, clusterWorker }: Signs): Processes {
  const instance = wholeNumber(variables['NODE_APP_INSTANCE'])
  const named = wholeNumber(variables['WEB_CONCURRENCY']) ?? wholeNumber(variables['instances'])
  const isFirst = (instance ?? 0) === 0 && (clusterWorker ?? 1) === 1
  if (named !== null && named > 0) return { count: named, isFirst }
  const isAlone = (instance ?? 0) === 0 && clusterWorker === null
  return { count: isAlone ? 1 : null, isFirst }
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : null
}

/**
 * What the bounds come to when each process counts by itself: a line for each rule, none for one process.
 * `email.send: 20/hour per user in each of 4 processes: at most 80/hour`.
 */
export function sayMultiplied(entries: readonly Entry[], { count }: Processes): readonly string[] {
  if (count === 1) return []
  return entries.flatMap(({ name, rules, texts }) =>
    rules.map((rule, index) => {
      const text = texts[index] ?? ''
      return count === null
        ? `${name}: ${text} in each of several processes: at most that many times it; say how many with "processes"`
        : `${name}: ${text} in each of ${count} processes: at most ${sayBound(multiplied(rule, count))}`
    }),
  )
}

function sayBound(rule: LimitRule): string {
  return printLimit({ ...rule, per: [], dryRun: false })
}

function multiplied(rule: LimitRule, times: number): LimitRule {
  return { ...rule, count: rule.count * times, burst: rule.burst * times }
}

/** The part of a rule that one of so many processes may give away by itself; at least one unit. */
export function shareOf(rule: LimitRule, processes: number): LimitRule {
  const part = (units: number): number => Math.max(1, Math.floor(units / processes))
  return { ...rule, count: part(rule.count), burst: part(rule.burst) }
}
