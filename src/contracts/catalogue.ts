import type { z } from 'zod'
import type { FactDeclaration } from '../kernel/std/index.ts'
import { accessFacts, accessOperations } from './house/access.ts'
import type { Operation } from './declare.ts'
import { edgeFacts, edgeOperations } from './edge.ts'
import { environmentFacts, environmentOperations } from './environment.ts'
import { explainOperations } from './limits/explain.ts'
import { jobFacts, jobOperations } from './house/jobs.ts'
import { limitsFacts, limitsOperations } from './limits.ts'
import { operationFacts, operationsOperations } from './house/operations.ts'
import { peopleOperations } from './house/people.ts'
import { seriesOperations } from './house/series.ts'
import { timelineFacts, timelineOperations } from './house/timeline.ts'

/** Every operation of the house. */
export const operationCatalogue = [
  ...Object.values(environmentOperations),
  ...Object.values(edgeOperations),
  ...Object.values(limitsOperations),
  ...Object.values(explainOperations),
  ...Object.values(timelineOperations),
  ...Object.values(seriesOperations),
  ...Object.values(jobOperations),
  ...Object.values(accessOperations),
  ...Object.values(peopleOperations),
  ...Object.values(operationsOperations),
] as const satisfies readonly Operation[]

/** Every kind of fact. */
export const factCatalogue: readonly FactDeclaration[] = [
  ...Object.values(environmentFacts),
  ...Object.values(edgeFacts),
  ...Object.values(limitsFacts),
  ...Object.values(timelineFacts),
  ...Object.values(jobFacts),
  ...Object.values(accessFacts),
  ...Object.values(operationFacts),
]

type Catalogued = (typeof operationCatalogue)[number]

/** Name of an operation. */
export type OperationName = Catalogued['name']

/** Operations by name: what goes in, what comes out, and how it answers. */
export type Operations = {
  readonly [O in Catalogued as O['name']]: {
    readonly input: z.input<O['input']>
    readonly output: z.output<O['output']>
    readonly answers: O['answers']
  }
}
