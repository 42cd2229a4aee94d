export { overallState, sayEnvironment } from './assess.ts'
export { followEvents } from './follow.ts'
export type { Said } from './transitions.ts'
export { createWatch, type Watch } from './watch.ts'
