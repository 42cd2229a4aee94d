export { makeVolumes } from './make-volumes.ts'
export { bindVolumes } from './operations.ts'
