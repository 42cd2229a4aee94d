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

/** The exit code of an answer: 1 when a check found something broken or a job failed, else 0. */
export function exitOf(name: OperationName, answer: Json): number {
  if (name === 'timeline.verify' && (answer as JsonObject)['broken'] !== null) return 1
  // As `diff` does, so that CI can ask.
  if (name === 'environment.drift' && ((answer as JsonObject)['items'] as Json[]).length > 0) return 1
  if (name === 'jobs.get' && (answer as JsonObject)['state'] === 'failed') return 1
  return 0
}
