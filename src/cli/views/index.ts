import type { OperationName } from '../../contracts/index.ts'
import type { Json, JsonObject } from '../../kernel/std/index.ts'
import { genericLines, type Paper } from '../output/index.ts'
import { dataViews } from './data.ts'
import { deployViews } from './deploys.ts'
import { edgeViews } from './edge.ts'
import { environmentViews } from './environment.ts'
import { explainViews } from './explain.ts'
import { houseViews } from './house.ts'
import { limitsViews } from './limits.ts'
import { peopleViews } from './people.ts'
import { planViews } from './plans.ts'
import { runViews } from './runs.ts'
import type { Views } from './view.ts'

const views: Views = {
  ...environmentViews,
  ...dataViews,
  ...deployViews,
  ...planViews,
  ...runViews,
  ...edgeViews,
  ...limitsViews,
  ...explainViews,
  ...houseViews,
  ...peopleViews,
}

/** What an operation answered, as lines for people. */
export function render(name: OperationName, answer: Json, paper: Paper): readonly string[] {
  const view = views[name] as ((answer: Json, paper: Paper) => readonly string[]) | undefined
  return view === undefined ? genericLines(answer, paper) : view(answer, paper)
}

/** Operations that compare, and where their answers say what they found; `--exit-code` makes that an exit code. */
const comparisons: { readonly [Name in OperationName]?: string } = {
  'environment.plan': 'steps',
  'environment.drift': 'items',
}

/** Whether an operation takes `--exit-code`. */
export const compares = (name: OperationName): boolean => comparisons[name] !== undefined

const foundSomething = (name: OperationName, answer: Json): boolean => {
  const found = (answer as JsonObject)[comparisons[name] ?? '']
  return Array.isArray(found) && found.length > 0
}

/**
 * The exit code of an answer: 1 when a check found something broken or a job failed, else 0. With `detailed` a comparison
 * that found something is 2, which no failure is.
 */
export function exitOf(name: OperationName, answer: Json, detailed = false): number {
  if (detailed && foundSomething(name, answer)) return 2
  if (name === 'timeline.verify' && (answer as JsonObject)['broken'] !== null) return 1
  // As `diff` does.
  if (name === 'environment.drift' && foundSomething(name, answer)) return 1
  if (name === 'jobs.get' && (answer as JsonObject)['state'] === 'failed') return 1
  return 0
}
