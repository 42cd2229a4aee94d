export { maxResultSize, maxSteps } from './attempt.ts'
export { jobsFold, keptEndedJobs, type JobsState } from './fold.ts'
export { createJobs, idempotencyLifeMs, type JobRequest, type Jobs } from './jobs.ts'
export { maxAttempts } from './runner.ts'
