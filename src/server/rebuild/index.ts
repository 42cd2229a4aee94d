export { rebuilds } from './capability.ts'
export { dropRebuild, dropRebuilds } from './place.ts'
export { failureOf, rebuild } from './rebuild.ts'
