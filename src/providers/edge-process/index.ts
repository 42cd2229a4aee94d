export { edgeProcess, type EdgeProcessParts } from './edge-process.ts'
