export { rebuilds } from './capability.ts'
export { rebuild, type FailedRebuild } from './rebuild.ts'
