export { accessFacts, accessOperations } from './house/access.ts'
export { declareFact, declareOperation, type Operation } from './declare.ts'
export { defaultExit, errorCatalogue, type ErrorEntry } from './errors.ts'
export { edgeFacts, edgeOperations } from './edge.ts'
export {
  environmentFacts,
  environmentOperations,
  type DatabaseList,
  type DeployHistory,
  type Drift,
  type EnvironmentPlan,
  type EnvironmentStatus,
  type Judging,
  type PlanStep,
  type RebuildPhase,
  type RebuildResult,
  type RunHistory,
  type VolumeList,
} from './environment.ts'
export {
  explainOperations,
  type Explanation,
  type OffenderView,
  type RefusalSpell,
} from './limits/explain.ts'
export { inputJsonSchema, outputJsonSchema } from './json-schema.ts'
export { job, jobFacts, jobOperations, type Job } from './house/jobs.ts'
export { limitsFacts, limitsOperations, type LimitVerdict, type RefusedEntry } from './limits.ts'
export { operationFacts, operationsOperations } from './house/operations.ts'
export { factCatalogue, operationCatalogue, type OperationName, type Operations } from './catalogue.ts'
export { peopleOperations } from './house/people.ts'
export { seriesOperations } from './house/series.ts'
export { timelineFacts, timelineOperations } from './house/timeline.ts'
