export { jobsFold, type JobsState } from './fold.ts'
export { createJobs, type JobRequest, type Jobs } from './jobs.ts'
